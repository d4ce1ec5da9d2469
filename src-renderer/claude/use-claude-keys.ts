import { type RefObject, useMemo } from 'react';
import type { RunId } from '../../src-shared/ids.ts';
import type { Handlers } from '../commands.ts';
import type { Attachment } from '../pane-contract.ts';
import { usePaneCommands } from '../workspace/pane-hooks.ts';
import type { ComposerHandle } from './composer/composer.tsx';
import { nextMode } from './composer/mode-menu.tsx';
import type { Folds } from './conversation/folds.ts';
import { usePermissionKeys } from './permission/use-permission-keys.ts';
import { useLatest } from './stable.ts';

export interface ClaudeKeys {
  readonly runId: RunId;
  readonly root: RefObject<HTMLElement | null>;
  readonly composer: RefObject<ComposerHandle | null>;
  readonly attachment: Attachment;
  readonly folds: Folds;
  /** The open permission request. */
  readonly shownId: string | null;
  readonly isActive: boolean;
  readonly hasDraft: boolean;
  readonly onPickModel: () => void;
}

/** The commands of a conversation, which its keys, the palette and the menus run. Returns how to bring the focus to an open request. */
export function useClaudeKeys(keys: ClaudeKeys): { readonly focusCard: () => boolean } {
  const { runId, root, composer, attachment, folds, shownId, isActive, hasDraft, onPickModel } = keys;
  const permission = usePermissionKeys(root, composer, shownId, isActive, hasDraft);
  const latest = useLatest({ attachment, shownId, onPickModel, permission });
  const handlers = useMemo((): Handlers => {
    const state = () => latest.current.attachment.state;
    const send = (command: Parameters<Attachment['send']>[0]) => latest.current.attachment.send(command).then(() => undefined);
    const fromPermission = latest.current.permission.handlers;
    return {
      ...fromPermission,
      // With a request open, Escape in the text leads to it; it interrupts only when none is.
      'claude.interrupt': {
        isEnabled: () => !composer.current?.isCompleting() && (latest.current.shownId !== null || state()?.turn != null),
        run: () => (latest.current.shownId === null ? send({ kind: 'interrupt' }) : void latest.current.permission.focusCard()),
      },
      'claude.cycleMode': {
        // Elsewhere Shift+Tab goes back to the control before.
        isEnabled: () => composer.current?.hasFocus() === true && !composer.current.isCompleting() && state()?.claude != null,
        run: () => send({ kind: 'options', permissionMode: nextMode(state()?.claude?.permissionMode ?? 'default') }),
      },
      'claude.pickModel': { run: () => latest.current.onPickModel() },
      'claude.unfoldAll': { run: () => folds.setVerbose(!folds.isVerbose) },
    };
  }, [composer, folds, latest]);
  usePaneCommands(runId, handlers);
  return permission;
}
