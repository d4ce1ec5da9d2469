/**
 * Lets a test decide when each piece of a streamed answer leaves the server, so that a test of a half-streamed turn
 * needs no timer: the stream stops at the gate, says so, and goes on when it is told to.
 *
 * @typedef {object} Gate
 * @property {() => Promise<void>} pass waits for permission to send one piece
 * @property {(pieces?: number) => void} release lets this many pieces through (those waiting and those to come)
 * @property {() => void} open lets everything through from now on
 * @property {() => Promise<void>} whenHeld resolves when a stream stands at the gate
 * @property {() => number} passed how many pieces have gone through
 */

/** @returns {Gate} */
export function createGate() {
  let credit = 0;
  let isOpen = false;
  let passed = 0;
  /** @type {(() => void)[]} */
  const held = [];
  /** @type {(() => void)[]} */
  const watchers = [];

  const advance = () => {
    while (held.length > 0 && (isOpen || credit > 0)) {
      if (!isOpen) credit -= 1;
      passed += 1;
      held.shift()?.();
    }
  };

  return {
    pass: () =>
      new Promise((resolve) => {
        held.push(resolve);
        advance();
        if (held.length > 0) for (const watcher of watchers.splice(0)) watcher();
      }),
    release: (pieces = 1) => {
      credit += pieces;
      advance();
    },
    open: () => {
      isOpen = true;
      advance();
    },
    whenHeld: () => (held.length > 0 ? Promise.resolve() : new Promise((resolve) => watchers.push(resolve))),
    passed: () => passed,
  };
}
