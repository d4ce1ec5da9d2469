import type { EngineSession } from './engine-session.ts';

/** Activity alone changes a list's row at most so often. */
const ACTIVITY_EVERY_MS = 1_000;

/** Gathers what lists show of sessions that change: what matters is told once in a turn of the loop, mere activity once a second. */
export class SessionChanges {
  readonly #tell: (session: EngineSession) => void;
  readonly #changed = new Set<EngineSession>();
  #isTurnEnding = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(tell: (session: EngineSession) => void) {
    this.#tell = tell;
  }

  add(session: EngineSession, isUrgent: boolean): void {
    this.#changed.add(session);
    if (isUrgent && !this.#isTurnEnding) {
      this.#isTurnEnding = true;
      setImmediate(() => this.#flush());
    } else if (!isUrgent) this.#timer ??= setTimeout(() => this.#flush(), ACTIVITY_EVERY_MS);
  }

  /** It is no more. */
  forget(session: EngineSession): void {
    this.#changed.delete(session);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#isTurnEnding = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const session of this.#changed) this.#tell(session);
    this.#changed.clear();
  }
}
