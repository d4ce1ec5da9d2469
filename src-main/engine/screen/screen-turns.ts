/**
 * One at a time: xterm parses in slices between which others could run. Whatever it throws, it throws out of a timer, and only
 * because nobody else parses meanwhile is it known whose it was.
 */
export class Turns {
  private tail: Promise<void> = Promise.resolve();
  private failCurrent: ((error: Error) => void) | null = null;

  /** Rejects with what `work` throws, also out of a timer. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.tail.then(() => {
      const failed = new Promise<never>((_, reject) => {
        this.failCurrent = reject;
      });
      return Promise.race([Promise.resolve().then(work), failed]);
    });
    const done = (): void => {
      this.failCurrent = null;
    };
    this.tail = turn.then(done, done);
    return turn;
  }

  /** An exception that nobody caught. false: it belongs to no turn. */
  fail(error: Error): boolean {
    if (this.failCurrent === null) return false;
    this.failCurrent(error);
    return true;
  }
}
