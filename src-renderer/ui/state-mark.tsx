import { useTranslation } from 'react-i18next';
import type { SessionStatus } from '../../src-shared/session.ts';
import { classes } from './classes.ts';

/** Five shapes for seven states: needs you ▲, working ◐, idle ○, ended ✕, broken off ✕ in red. */
const looks: Record<SessionStatus, { shape: 'triangle' | 'half' | 'ring' | 'dot' | 'cross'; colour: string; turns?: true }> = {
  starting: { shape: 'half', colour: 'text-faint', turns: true },
  running: { shape: 'half', colour: 'text-working' },
  moving: { shape: 'half', colour: 'text-accent', turns: true },
  waiting: { shape: 'triangle', colour: 'text-accent' },
  idle: { shape: 'ring', colour: 'text-faint' },
  ended: { shape: 'cross', colour: 'text-faint' },
  interrupted: { shape: 'cross', colour: 'text-danger' },
};

const shapes = {
  triangle: <path d="M8 3.2 13.4 12.6H2.6Z" fill="currentColor" stroke="currentColor" strokeWidth="1" strokeLinejoin="round" />,
  half: (
    <>
      <circle cx="8" cy="8" r="4.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M8 3.5a4.5 4.5 0 0 0 0 9Z" fill="currentColor" />
    </>
  ),
  ring: <circle cx="8" cy="8" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  dot: <circle cx="8" cy="8" r="4" fill="currentColor" />,
  cross: <path d="m4.5 4.5 7 7m0-7-7 7" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />,
};

/** A session's state as a shape with a colour, named in text. `silent` where the text stands beside it. */
export function StateMark({
  status,
  silent = false,
  className,
}: {
  status: SessionStatus;
  silent?: boolean;
  className?: string;
}) {
  const { t } = useTranslation();
  const look = looks[status];
  return (
    <svg
      viewBox="0 0 16 16"
      role={silent ? undefined : 'img'}
      aria-label={silent ? undefined : t(`status.${status}`)}
      aria-hidden={silent || undefined}
      data-status={status}
      className={classes('size-4 shrink-0', look.colour, look.turns && 'animate-turn', className)}
    >
      {shapes[look.shape]}
    </svg>
  );
}
