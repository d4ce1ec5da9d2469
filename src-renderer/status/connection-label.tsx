import { useTranslation } from 'react-i18next';
import { shell } from '../shell.ts';
import { useWindow, type WindowState } from '../store.ts';
import { classes } from '../ui/classes.ts';

type Standing = 'live' | 'polling' | 'connecting' | 'reconnecting' | 'offline';

/** How a browser stands with its server, in a word. A window of the desktop app has its engine beside it and needs none. */
export function ConnectionLabel() {
  const { t } = useTranslation('browser');
  const standing = useWindow(standingOf);
  if (shell !== null) return null;
  return (
    <span role="status" title={t(`standingText.${standing}`)} className="flex shrink-0 items-center gap-1.5 text-11 text-dim">
      <svg viewBox="0 0 10 10" aria-hidden className={classes('size-2.5', looks[standing])}>
        {shapes[standing]}
      </svg>
      {t(`standing.${standing}`)}
    </span>
  );
}

function standingOf({ connection, road }: WindowState): Standing {
  if (connection.is === 'live') return road === 'polling' ? 'polling' : 'live';
  if (road === 'unreachable') return 'offline';
  return connection.is === 'connecting' ? 'connecting' : 'reconnecting';
}

const looks: Record<Standing, string> = {
  live: 'text-added',
  polling: 'text-accent-text',
  connecting: 'text-faint',
  reconnecting: 'text-accent-text',
  offline: 'text-danger',
};

/** A shape for each, so that colour is not needed: full, half, ring, cross. */
const ring = <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.5" />;
const shapes: Record<Standing, React.ReactNode> = {
  live: <circle cx="5" cy="5" r="4" fill="currentColor" />,
  polling: (
    <>
      {ring}
      <path d="M5 1.5a3.5 3.5 0 0 0 0 7Z" fill="currentColor" />
    </>
  ),
  connecting: ring,
  reconnecting: ring,
  offline: <path d="m2 2 6 6m0-6-6 6" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />,
};
