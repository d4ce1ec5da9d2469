import { Ellipsis } from 'lucide-react';
import { memo, type Ref, useCallback, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { PromptContent } from '../../../src-shared/events.ts';
import type { InputId } from '../../../src-shared/ids.ts';
import type { OutboxItem } from '../../../src-shared/operations.ts';
import type { SessionState, SessionSummary } from '../../../src-shared/session.ts';
import { call } from '../../engine.ts';
import type { Attachment, CommandDraft } from '../../pane-contract.ts';
import { endSession, isOver } from '../../session-actions.ts';
import { useWindow } from '../../store.ts';
import { IconButton } from '../../ui/button.tsx';
import { Menu, type MenuItem } from '../../ui/menu.tsx';
import { showFailure } from '../../ui/toasts.tsx';
import { BlockedNotice } from '../blocked-notice.tsx';
import { useLasting } from '../stable.ts';
import type { Attachments } from './attachments.ts';
import { Composer, type ComposerHandle } from './composer.tsx';
import { LooksOnly } from './looks-only.tsx';
import { UsageMeter } from './meter.tsx';
import { ModeMenu } from './mode-menu.tsx';
import { ModelMenu } from './model-menu.tsx';
import type { Outbox } from './outbox.ts';
import { PromptQueue } from './prompt-queue.tsx';

export interface ComposerAreaProps {
  readonly session: SessionSummary | null;
  readonly send: Attachment['send'];
  readonly state: SessionState;
  readonly isOnline: boolean;
  /** Why nothing that is written here would be taken; null: it would. */
  readonly looksOnly: string | null;
  readonly outbox: Outbox;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly images: Attachments;
  readonly said: readonly string[];
  readonly isModelOpen: boolean;
  readonly onModelOpen: (isOpen: boolean) => void;
  readonly menu: readonly MenuItem[];
  readonly onSent: () => void;
  /** The permission cards: between the queue and the text. */
  readonly children: React.ReactNode;
  readonly ref: Ref<ComposerHandle>;
}

const nothing: readonly OutboxItem[] = [];
/** A prompt that goes straight into its turn is not shown as queued for the blink of an eye. */
const flashMs = 250;

/** Everything below the conversation (not drawn anew with every piece of text that is written): what is in the way, what waits, what needs an answer, and the text that is being written. */
export const ComposerArea = memo(function ComposerArea(props: ComposerAreaProps) {
  const {
    session,
    send,
    state,
    isOnline,
    looksOnly,
    outbox,
    text,
    onText,
    images,
    said,
    isModelOpen,
    onModelOpen,
    menu,
    onSent,
    children,
    ref,
  } = props;
  const { t } = useTranslation('claude');
  const outgoing = useSyncExternalStore(outbox.subscribe, () => outbox.prompts);
  const claude = state.claude;
  const isBusy = state.turn !== null;
  const command = useCallback(
    (draftCommand: CommandDraft, failed: string) => {
      send(draftCommand).catch((error: unknown) => showFailure(failed, error));
    },
    [send],
  );
  /** A child that runs does not notice that the user has signed in: a new one does. */
  const retryBlocked = async () => {
    try {
      if (session !== null && !isOver(session)) await endSession(session.runId);
      await send({ kind: 'restart' });
    } catch (error) {
      showFailure(t('blocked.failed'), error);
    }
  };
  const sendPrompt = (content: PromptContent) => {
    outbox.add(content);
    onText('');
    images.clear();
    onSent();
  };
  const remote = session?.remote ?? null;
  const awayName = remote?.connection === 'away' ? (session?.machine ?? '') : null;
  const placeholder =
    awayName !== null
      ? t('composer.placeholderAway', { name: awayName })
      : isBusy
        ? t('composer.placeholderBusy')
        : t('composer.placeholder');
  const held = useWindow((window) => (session === null ? nothing : (window.outboxes.get(session.runId) ?? nothing)));
  const showsQueue = useLasting(state.queue.length > 0 || outgoing.length > 0 || held.length > 0, flashMs);
  const cancelHeld = async (inputId: InputId) => {
    try {
      await call('outbox.cancel', { inputId });
      // What this window has sent itself it would offer to send again.
      outbox.remove(inputId);
    } catch (error) {
      showFailure(t('queue.cancelFailed'), error);
    }
  };
  return (
    <div className="mx-auto w-full max-w-205 space-y-2 px-6 pb-3 @max-[560px]:px-3">
      {claude?.blocked != null && looksOnly === null && (
        <BlockedNotice
          code={claude.blocked.code}
          message={claude.blocked.message}
          machineId={remote === null ? null : (session?.machineId ?? null)}
          onRetry={retryBlocked}
        />
      )}
      {showsQueue && (
        <PromptQueue
          queue={state.queue}
          outgoing={outgoing}
          isOnline={isOnline}
          isFixed={looksOnly !== null}
          held={held}
          machine={session?.machine ?? ''}
          onCancelHeld={(inputId) => void cancelHeld(inputId)}
          onEdit={(target, edited) => command({ kind: 'prompt-edit', target, text: edited }, t('queue.changeFailed'))}
          onMove={(target, before) => command({ kind: 'prompt-move', target, before }, t('queue.changeFailed'))}
          onDelete={(target) => command({ kind: 'prompt-delete', target }, t('queue.changeFailed'))}
          onRetry={(inputId) => outbox.retry(inputId)}
          onDiscard={(inputId) => outbox.remove(inputId)}
        />
      )}
      {children}
      {looksOnly !== null ? (
        <LooksOnly why={looksOnly} ref={ref} />
      ) : (
        <Composer
          ref={ref}
          text={text}
          onText={onText}
          images={images.images}
          onFiles={(files) => void images.add(files)}
          onRemoveImage={images.remove}
          onSend={sendPrompt}
          isBusy={isBusy}
          onInterrupt={() => command({ kind: 'interrupt' }, t('composer.interruptFailed'))}
          commands={claude?.slashCommands ?? []}
          cwd={state.cwd}
          machineId={remote === null ? null : (session?.machineId ?? null)}
          said={said}
          placeholder={placeholder}
          options={
            <>
              <ModeMenu
                mode={claude?.permissionMode ?? 'default'}
                onChange={(permissionMode) => command({ kind: 'options', permissionMode }, t('mode.failed'))}
              />
              <ModelMenu
                model={claude?.model ?? null}
                onChange={(model) => command({ kind: 'options', model }, t('model.failed'))}
                isOpen={isModelOpen}
                onOpenChange={onModelOpen}
              />
              <span className="flex-1" />
              {claude?.usage != null && <UsageMeter usage={claude.usage} />}
              <Menu items={menu} align="end" label={t('more')}>
                <IconButton icon={Ellipsis} label={t('more')} />
              </Menu>
            </>
          }
        />
      )}
    </div>
  );
});
