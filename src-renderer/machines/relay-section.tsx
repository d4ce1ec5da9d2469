import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RelayStatus } from '../../src-shared/machines.ts';
import { runCommand } from '../commands.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { useNow } from '../ui/now.ts';
import { clockTime } from '../ui/relative-time.tsx';
import { Select } from '../ui/select.tsx';
import { Switch } from '../ui/switch.tsx';
import { showFailure } from '../ui/toasts.tsx';

type Reach = 'lan' | 'local';
const HOSTS: Readonly<Record<Reach, string>> = { lan: '0.0.0.0', local: '127.0.0.1' };

/** Where the machines meet: address, state, and the relay that this machine can run itself. */
export function RelaySection({ relay }: { relay: RelayStatus }) {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const now = useNow();
  const title = useId();
  return (
    <section aria-labelledby={title} className="pt-6">
      <h2 id={title} className="text-15 font-semibold">
        {t('page.relay')}
      </h2>
      <p className="pb-1 text-dim">{t('page.relayText')}</p>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-1 py-2">
        <dt className="text-dim">{t('relay.state')}</dt>
        <dd>
          {t(`relay.${relay.state}`)}
          {relay.lan && relay.state === 'live' && ` · ${t('relay.lan')}`}
          {relay.state !== 'off' && (
            <span className="text-11 text-faint"> {t('relay.since', { at: clockTime(Date.parse(relay.since), now) })}</span>
          )}
        </dd>
        {relay.url !== null && <Address name={t('relay.address')} value={relay.url} />}
      </dl>
      {relay.state === 'lost' && relay.why !== null && (
        <ErrorNotice
          title={t('relay.lost')}
          text={t('relay.lostText', { why: relay.why })}
          action={{ label: t('relay.settings'), onSelect: () => void runCommand('settings.show') }}
          tone="plain"
        />
      )}
      <Embedded relay={relay} />
      <p className="pt-2 text-11 text-faint">
        {t('relay.elsewhere')}:{' '}
        <button type="button" onClick={() => runCommand('settings.show')} className="rounded-sm text-link hover:underline">
          {frame('page.settings')}
        </button>
      </p>
    </section>
  );
}

function Address({ name, value }: { name: string; value: string }) {
  const { t } = useTranslation('machines');
  return (
    <>
      <dt className="text-dim">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">
        <code className="min-w-0 break-all selectable">{value}</code>
        <CopyButton text={value} label={t('relay.copyAddress')} />
      </dd>
    </>
  );
}

/** The relay inside this machine's engine: on or off, and who reaches it. */
function Embedded({ relay: { embedded } }: { relay: RelayStatus }) {
  const { t } = useTranslation('machines');
  const id = useId();
  const host = useWindow((window) => window.settings['relay.host']);
  const [isBusy, setBusy] = useState(false);
  const reach: Reach = host === HOSTS.local || host === 'localhost' ? 'local' : 'lan';
  const act = async (failed: string, change: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await change();
    } catch (error) {
      showFailure(failed, error);
    } finally {
      setBusy(false);
    }
  };
  const turn = (isOn: boolean) =>
    act(isOn ? t('relay.notStarted') : t('relay.notStopped'), () => call(isOn ? 'relay.start' : 'relay.stop', {}));
  const changeReach = (next: Reach) => act(t('relay.notStarted'), () => call('relay.start', { host: HOSTS[next] }));
  return (
    <div className="divide-y divide-line border-y border-line">
      <div className="flex items-start gap-x-6 py-2.5">
        <div className="min-w-0 flex-1">
          <label htmlFor={id}>{t('relay.embedded')}</label>
          <p id={`${id}-note`} className="text-11 text-faint">
            {t('relay.embeddedHelp')}
          </p>
        </div>
        <Switch
          id={id}
          aria-describedby={`${id}-note`}
          checked={embedded !== null}
          disabled={isBusy}
          onChange={(isOn) => void turn(isOn)}
        />
      </div>
      {embedded !== null && (
        <div className="flex flex-wrap items-center gap-x-6 gap-y-1 py-2.5">
          <label htmlFor={`${id}-reach`} className="min-w-48 flex-1">
            {t('relay.reach')}
          </label>
          <div className="w-56">
            <Select
              id={`${id}-reach`}
              value={reach}
              disabled={isBusy}
              options={[
                { value: 'lan', label: t('relay.reachLan') },
                { value: 'local', label: t('relay.reachLocal') },
              ]}
              onChange={(next) => void changeReach(next)}
            />
          </div>
        </div>
      )}
      {embedded !== null && (
        <dl className="flex flex-wrap items-center gap-x-4 py-2.5">
          <Address name={t(reach === 'lan' ? 'relay.addressOutside' : 'relay.addressInside')} value={embedded.address} />
        </dl>
      )}
    </div>
  );
}
