import { type RefObject, useEffect, useRef } from 'react';
import type { Handlers } from '../../commands.ts';
import type { ComposerHandle } from '../composer/composer.tsx';

/** Who has just typed did not mean the card that has just come: it takes neither focus nor keys so soon. */
const GUARD_MS = 300;

export interface PermissionKeys {
  readonly handlers: Handlers;
  /** Moves the focus to the open card; false: there is none. */
  readonly focusCard: () => boolean;
}

/** Answering with the keyboard: the card comes to the focus when nobody types, and 1, 2 and 3 press its buttons. */
export function usePermissionKeys(
  root: RefObject<HTMLElement | null>,
  composer: RefObject<ComposerHandle | null>,
  shownId: string | null,
  isActive: boolean,
  hasDraft: boolean,
): PermissionKeys {
  const shownAt = useRef(0);
  const draft = useRef(hasDraft);
  useEffect(() => {
    draft.current = hasDraft;
  });
  const card = () => root.current?.querySelector<HTMLElement>('[data-permission-card]') ?? null;
  const focusCard = () => {
    const element = card();
    element?.focus();
    return element !== null;
  };

  const wasOpen = useRef(false);
  useEffect(() => {
    if (shownId === null) {
      // The card took the focus with it: what comes next is writing.
      if (wasOpen.current && isActive && isNowhere()) composer.current?.focus();
      wasOpen.current = false;
      return;
    }
    wasOpen.current = true;
    shownAt.current = Date.now();
    if (!isActive) return;
    let timer: ReturnType<typeof setTimeout>;
    const take = () => {
      const typedAgo = Date.now() - (composer.current?.typedAt() ?? 0);
      // A prompt that is half written keeps the focus; Escape leads from there to the card.
      if (draft.current && composer.current?.hasFocus()) return;
      if (typedAgo < GUARD_MS) {
        timer = setTimeout(take, GUARD_MS - typedAgo);
        return;
      }
      if (isFree(root.current)) root.current?.querySelector<HTMLElement>('[data-permission-card]')?.focus();
    };
    // Not sooner than its keys work: a card that has the focus and takes no key seems broken.
    timer = setTimeout(take, GUARD_MS);
    return () => clearTimeout(timer);
  }, [shownId, isActive, root, composer]);

  const press = (which: string) => () => card()?.querySelector<HTMLButtonElement>(`[data-permission="${which}"]`)?.click();
  const canPress = (which: string) => () => {
    const button = card()?.querySelector<HTMLButtonElement>(`[data-permission="${which}"]`);
    return button != null && !button.disabled && Date.now() - shownAt.current >= GUARD_MS && !isWriting();
  };
  const key = (which: string) => ({ run: press(which), isEnabled: canPress(which) });
  return {
    focusCard,
    handlers: {
      'permission.allow': key('allow'),
      'permission.allowSession': key('allow-session'),
      'permission.deny': key('deny'),
      'permission.leave': { run: () => composer.current?.focus(), isEnabled: () => card() !== null },
    },
  };
}

/** The focus is nowhere in particular, or in this pane: it may be moved. */
function isFree(pane: HTMLElement | null): boolean {
  return isNowhere() || (pane?.contains(document.activeElement) ?? false);
}

function isNowhere(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Digits that are typed into a field are text. */
function isWriting(): boolean {
  const { activeElement } = document;
  return activeElement instanceof HTMLInputElement || activeElement instanceof HTMLTextAreaElement;
}
