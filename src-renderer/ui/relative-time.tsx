import { useTranslation } from 'react-i18next';
import { useNow } from './now.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export type AgeUnit = 'now' | 'minutes' | 'hours' | 'days' | 'weeks' | 'years';

/** The largest unit that fits; below a minute it is "now". */
export function ageOf(thenMs: number, nowMs: number): { unit: AgeUnit; count: number } {
  const age = Math.max(0, nowMs - thenMs);
  if (age < minuteMs) return { unit: 'now', count: 0 };
  if (age < hourMs) return { unit: 'minutes', count: Math.floor(age / minuteMs) };
  if (age < dayMs) return { unit: 'hours', count: Math.floor(age / hourMs) };
  if (age < 14 * dayMs) return { unit: 'days', count: Math.floor(age / dayMs) };
  if (age < 365 * dayMs) return { unit: 'weeks', count: Math.floor(age / (7 * dayMs)) };
  return { unit: 'years', count: Math.floor(age / (365 * dayMs)) };
}

/** "now", "5 min", "3 h", "2 d"; the exact time on hover. */
export function RelativeTime({ at, className }: { at: number | string; className?: string }) {
  const { t } = useTranslation();
  const then = typeof at === 'number' ? at : Date.parse(at);
  const { unit, count } = ageOf(then, useNow());
  const exact = new Date(then);
  return (
    <time dateTime={exact.toISOString()} title={exact.toLocaleString()} className={className}>
      {t(`age.${unit}`, { count })}
    </time>
  );
}

/** "14:02" of the same day, else date and time. */
export function clockTime(ms: number, nowMs: number): string {
  const then = new Date(ms);
  const sameDay = then.toDateString() === new Date(nowMs).toDateString();
  const time = then.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return sameDay ? time : `${then.toLocaleDateString()} ${time}`;
}
