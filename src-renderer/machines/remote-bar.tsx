import { Eye, Monitor } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { megabytes } from '../../src-shared/megabytes.ts';
import type { RemoteStanding } from '../../src-shared/session.ts';
import { useWindow } from '../store.ts';
import { Icon } from '../ui/icon.tsx';
import { ageOf } from '../ui/relative-time.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { useLooksOnly } from './may.ts';
import { PresenceButton } from './presence.tsx';

/** Above a session that runs on another machine: where, by what road, how old what one sees is, and who else looks. */
export function RemoteBar({ runId }: { runId: RunId }) {
  const { t } = useTranslation('machines');
  const session = useWindow((window) => window.sessions.get(runId));
  if (!session?.remote) return null;
  const { remote, machine } = session;
  return (
    <section
      aria-label={t('remote.label')}
      className="flex h-7 shrink-0 items-center gap-3 border-b border-line bg-sunken px-3 text-11 text-dim phone:h-9"
    >
      <Place remote={remote} machine={machine} />
      <LooksOnly runId={runId} />
      {remote.connection === 'behind' && <Behind remote={remote} machine={machine} />}
      {!remote.historyComplete && remote.connection === 'live' && <Under text={t('remote.history')} />}
      <span className="flex-1" />
      <PresenceButton runId={runId} />
    </section>
  );
}

/** Said before anybody types. */
function LooksOnly({ runId }: { runId: RunId }) {
  const { t } = useTranslation('machines');
  const why = useLooksOnly(runId);
  if (why === null) return null;
  return (
    <span className="flex shrink-0 items-center gap-1 text-accent-text" title={why}>
      <Icon of={Eye} size={14} />
      {t('looksOnly.short')}
    </span>
  );
}

function Behind({ remote: { behindBytes }, machine }: { remote: RemoteStanding; machine: string }) {
  const { t } = useTranslation('machines');
  if (behindBytes === null) return <Under text={t('remote.behind')} title={t('remote.behindText')} />;
  const size = megabytes(behindBytes);
  return <Under text={t('remote.behindBy', { size })} title={t('remote.behindByText', { size, name: machine })} />;
}

function Place({ remote, machine }: { remote: RemoteStanding; machine: string }) {
  const { t } = useTranslation('machines');
  const isLan = useWindow((window) => window.machines?.relay.lan ?? false);
  const { connection } = remote;
  const isFollowed = connection === 'live' || connection === 'behind';
  const heard = remote.heardAt === null ? null : new Date(remote.heardAt);
  const title = [
    isFollowed ? null : t(`remote.${connection}Text`, { name: machine }),
    heard && t('remote.heard', { at: heard.toLocaleString() }),
  ];
  return (
    <span className="flex min-w-0 items-center gap-1.5" title={title.filter(Boolean).join('\n')}>
      <Icon of={Monitor} size={14} className={isFollowed ? 'text-dim' : 'text-faint'} />
      <span className="min-w-0 truncate">
        <span className="text-text">{t('remote.on', { name: machine })}</span>
        {' · '}
        {isFollowed ? (
          t(isLan ? 'remote.viaLan' : 'remote.viaRelay')
        ) : (
          <span className="text-accent-text">{t(`remote.${connection}`)}</span>
        )}
        {' · '}
        <HeardAge at={heard === null ? null : heard.getTime()} />
      </span>
    </span>
  );
}

/** How long ago the newest byte came: in seconds at first, for that is what tells a live session from one that hangs. */
function HeardAge({ at }: { at: number | null }) {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), stepMs);
    return () => clearInterval(timer);
  }, []);
  if (at === null) return <>{t('remote.never')}</>;
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  const { unit, count } = ageOf(at, now);
  const age = unit === 'now' ? t('remote.ageSeconds', { count: seconds }) : frame(`age.${unit}`, { count });
  return <time dateTime={new Date(at).toISOString()}>{seconds < 1 ? t('remote.now') : t('remote.age', { age })}</time>;
}
const stepMs = 1000;

function Under({ text, title }: { text: string; title?: string }) {
  return (
    <span role="status" title={title} className="flex min-w-0 items-center gap-1.5">
      <Spinner className="size-3.5 shrink-0" />
      <span className="truncate">{text}</span>
    </span>
  );
}
