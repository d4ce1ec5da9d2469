/** Programs that ring in a loop are heard and seen this often at most. */
const REST_MS = 400;
const TONE = { hertz: 660, seconds: 0.09, volume: 0.12 };

let context: AudioContext | null = null;

/** Lets a ring through unless one has just been. */
export function bellLimiter(nowMs: () => number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = nowMs();
    if (now - last < REST_MS) return false;
    last = now;
    return true;
  };
}

/** A short soft tone, made here: no file to load. */
export function soundBell(): void {
  context ??= new AudioContext();
  const { currentTime } = context;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = TONE.hertz;
  gain.gain.setValueAtTime(TONE.volume, currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, currentTime + TONE.seconds);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start();
  oscillator.stop(currentTime + TONE.seconds);
}
