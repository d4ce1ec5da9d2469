import type { Standing } from './machine-state.ts';

const ring = <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />;
const dot = <circle cx="5" cy="5" r="3.5" fill="currentColor" />;
const dashed = <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2 1.6" />;
const shapes: Record<Standing, React.ReactNode> = {
  self: dot,
  cut: ring,
  online: dot,
  asleep: (
    <>
      {ring}
      <path d="M5 1.75a3.25 3.25 0 0 0 0 6.5Z" fill="currentColor" />
    </>
  ),
  away: ring,
  unknown: dashed,
  never: dashed,
};
const colours: Record<Standing, string> = {
  self: 'text-dim',
  cut: 'text-dim',
  online: 'text-added',
  asleep: 'text-dim',
  away: 'text-faint',
  unknown: 'text-faint',
  never: 'text-faint',
};

/** A shape beside the words that say the same. */
export function StandingMark({ standing }: { standing: Standing }) {
  return (
    <svg viewBox="0 0 10 10" aria-hidden data-standing={standing} className={`size-2.5 shrink-0 ${colours[standing]}`}>
      {shapes[standing]}
    </svg>
  );
}
