// Loaded into a process by a test: its wall clock is a day ahead. Monotonic clocks are as they are.
const DAY_MS = 24 * 60 * 60 * 1_000;
const RealDate = Date;
const now = () => RealDate.now() + DAY_MS;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }
  static now() {
    return now();
  }
};
