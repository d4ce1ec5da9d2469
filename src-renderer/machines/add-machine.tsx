import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineList, Rights } from '../../src-shared/machines.ts';
import { runCommand } from '../commands.ts';
import { useWindow } from '../store.ts';
import { afterClose } from '../ui/after-close.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Field, Input } from '../ui/input.tsx';
import { RadioCards } from '../ui/radio-cards.tsx';
import { Select } from '../ui/select.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { hasSeveral } from './machine-state.ts';
import { usePairingStep } from './pairing-steps.tsx';
import { type MeetingPlace, offer, type Pairing, usePairing } from './use-pairing.ts';

const RIGHTS: readonly Rights[] = ['view', 'type', 'start'];
const PLACES: readonly MeetingPlace[] = ['lan', 'local', 'url'];

/** This machine shows a code, and lets in who enters it. */
export default function AddMachine({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('machines');
  const pairing = usePairing(onClose);
  const step = usePairingStep(pairing);
  const form = useOfferForm(pairing);
  const view = step ?? { title: t('offer.title'), description: t('offer.text'), body: form.body, actions: form.actions };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && pairing.close()}
      title={view.title}
      {...(view.description === null ? {} : { description: view.description })}
      actions={view.actions}
    >
      {view.body}
    </Dialog>
  );
}

function useOfferForm(pairing: Pairing) {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const form = useId();
  const list = useWindow((window) => window.machines);
  // Nobody else has to hear of another place while nobody has joined.
  const known = list?.workspace == null || !hasSeveral(list) ? null : list.relay.url;
  const [rights, setRights] = useState<Rights>('start');
  const [place, setPlace] = useState<MeetingPlace>(() => firstPlace(list));
  const [url, setUrl] = useState(() => useWindow.getState().settings['relay.url']);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const needsUrl = known === null && place === 'url';
  const badUrl = needsUrl && problem !== undefined && !/^wss?:\/\/\S+$/.test(url.trim());
  const submit = async () => {
    setProblem(undefined);
    if (needsUrl && !/^wss?:\/\/\S+$/.test(url.trim())) return setProblem(t('offer.addressMissing'));
    setBusy(true);
    try {
      await pairing.start(() => offer({ rights, place: known === null ? place : null, url }));
    } catch (error) {
      setProblem(describeFailure(error));
    } finally {
      setBusy(false);
    }
  };
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const body = (
    <form id={form} onSubmit={handleSubmit} noValidate>
      <Field label={t('offer.rights')} help={t(`rights.${rights}Text`)}>
        {({ id, ...aria }) => (
          <Select
            id={id}
            aria-describedby={aria['aria-describedby']}
            value={rights}
            options={RIGHTS.map((value) => ({ value, label: t(`rights.${value}`), description: t(`rights.${value}Text`) }))}
            onChange={setRights}
          />
        )}
      </Field>
      {known === null ? (
        <RadioCards
          label={t('offer.where')}
          value={place}
          onChange={setPlace}
          cards={PLACES.map((value) => ({ value, label: t(`offer.${value}`), text: t(`offer.${value}Text`) }))}
        />
      ) : (
        <p className="py-1 text-dim selectable">{t('offer.meetAt', { url: known })}</p>
      )}
      {needsUrl && (
        <Field label={t('offer.address')} problem={badUrl ? problem : undefined}>
          {(ids) => (
            <Input
              {...ids}
              value={url}
              placeholder="wss://relay.example.org"
              onChange={(event) => setUrl(event.target.value)}
              className="font-mono"
            />
          )}
        </Field>
      )}
      {problem !== undefined && !badUrl && <ErrorNotice title={t('failed.offer')} text={problem} />}
    </form>
  );
  const actions = (
    <>
      {list?.workspace == null && (
        <Button variant="quiet" className="mr-auto -ml-3" onClick={() => swap(pairing)}>
          {t('offer.haveCode')}
        </Button>
      )}
      <Button onClick={pairing.close}>{frame('cancel')}</Button>
      <Button type="submit" form={form} variant="primary" busy={isBusy}>
        {t('offer.do')}
      </Button>
    </>
  );
  return { body, actions };
}

/** To the other side's dialog. */
function swap(pairing: Pairing): void {
  pairing.close();
  afterClose(() => runCommand('machines.join'));
}

function firstPlace(list: MachineList | null): MeetingPlace {
  if (useWindow.getState().settings['relay.url'] !== '') return 'url';
  return list?.relay.embedded?.running && useWindow.getState().settings['relay.host'] === '127.0.0.1' ? 'local' : 'lan';
}
