import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PairingState, Rights } from '../../src-shared/machines.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { showFailure } from '../ui/toasts.tsx';

/** Where a workspace that has no relay yet gets one. */
export type MeetingPlace = 'lan' | 'local' | 'url';

export interface Offer {
  readonly rights: Rights;
  /** null: the workspace has its relay. */
  readonly place: MeetingPlace | null;
  readonly url: string;
}

export interface Pairing {
  /** `none` also while what there is belongs to an earlier attempt. */
  readonly state: PairingState;
  readonly start: (act: () => Promise<void>) => Promise<void>;
  readonly again: () => void;
  /** Gives up what is under way, and closes. */
  readonly close: () => void;
}

const nothing: PairingState = { is: 'none' };

function isUnderWay({ is }: PairingState): boolean {
  return is === 'offering' || is === 'joining' || is === 'compare';
}

/** The machine's one pairing, seen from a dialog: one that is under way already (from a terminal, say) is taken up. */
export function usePairing(onClose: () => void): Pairing {
  const { t } = useTranslation('machines');
  const known = useWindow((window) => window.pairing);
  const [isOurs, setOurs] = useState(() => isUnderWay(useWindow.getState().pairing));
  const state = isOurs ? known : nothing;
  useEffect(() => {
    // The dialog stays; what it shows has changed under the one who reads it.
    document.querySelector<HTMLElement>(`[data-pairing-step="${state.is}"]`)?.focus();
  }, [state.is]);
  return {
    state,
    start: async (act) => {
      await act();
      setOurs(true);
    },
    again: () => setOurs(false),
    close: () => {
      if (isUnderWay(state)) giveUp(state).catch((error: unknown) => showFailure(t('failed.title'), error));
      onClose();
    },
  };
}

async function giveUp(state: PairingState): Promise<void> {
  const isMine = state.is === 'compare' && state.side === 'member';
  await call(isMine ? 'pairing.decline' : 'pairing.cancel', {});
}

/** Says where the machines meet, and opens the door to one. */
export async function offer({ rights, place, url }: Offer): Promise<void> {
  if (place === 'lan' || place === 'local') {
    // An address that stands in the settings goes before the relay on this machine.
    if (useWindow.getState().settings['relay.url'] !== '') await call('settings.set', { changes: { 'relay.url': null } });
    await call('relay.start', { host: place === 'lan' ? '0.0.0.0' : '127.0.0.1' });
  }
  const { code, joinText, expiresAt } = await call('pairing.offer', {
    rights,
    ...(place === 'url' ? { relay: url.trim() } : {}),
  });
  useWindow.setState({ pairing: { is: 'offering', code, joinText, expiresAt, rights } });
}

export async function join(code: string): Promise<void> {
  useWindow.setState({ pairing: { is: 'joining' } });
  await call('pairing.join', { code: code.trim() });
}
