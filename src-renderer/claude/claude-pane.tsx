import './claude.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { overlayLive } from '../../src-shared/conversation/conversation-live.ts';
import { Image } from '../../src-shared/events.ts';
import { useAttachment } from '../attachment.ts';
import { sendCommand } from '../engine.ts';
import { useLooksOnly } from '../machines/may.ts';
import type { PaneProps } from '../pane-contract.ts';
import { useSharedText } from '../shared-text.ts';
import { useWindow } from '../store.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { usePaneFocus } from '../workspace/pane-hooks.ts';
import { useAttachments } from './composer/attachments.ts';
import type { ComposerHandle } from './composer/composer.tsx';
import { ComposerArea } from './composer/composer-area.tsx';
import { outboxOf } from './composer/outbox.ts';
import { useImageProblem } from './composer/use-image-problem.ts';
import type { ConversationListHandle } from './conversation/conversation-list.tsx';
import { ConversationView } from './conversation/conversation-view.tsx';
import { Folds, FoldsProvider, useIsVerbose } from './conversation/folds.ts';
import { ItemRendererProvider } from './conversation/item-renderer.ts';
import { ItemBody } from './conversation/item-row.tsx';
import { promptsOf, useRows } from './conversation/rows.ts';
import { useTurnActions } from './conversation/turn-actions.ts';
import { useAnnouncements } from './conversation/use-announcements.ts';
import { useReader } from './conversation/use-reader.ts';
import { ConversationProvider } from './conversation-context.ts';
import { DropTarget } from './drop-target.tsx';
import { PermissionCards, useShownPermission } from './permission/permission-cards.tsx';
import { usePermissions } from './permission/use-permissions.ts';
import { useStable } from './stable.ts';
import { useActions } from './use-actions.ts';
import { useClaudeKeys } from './use-claude-keys.ts';
import { useConversationMenu } from './use-conversation-menu.ts';

/** A conversation with Claude: what was said, what needs an answer, and where to write. */
export function ClaudePane({ runId, active, visible }: PaneProps) {
  const { t } = useTranslation('claude');
  const root = useRef<HTMLDivElement>(null);
  const composer = useRef<ComposerHandle>(null);
  const list = useRef<ConversationListHandle>(null);
  const [folds] = useState(() => new Folds());
  const [isModelOpen, setModelOpen] = useState(false);
  const isOnline = useWindow((window) => window.connection.is === 'live');
  const isActive = active && visible;
  const looksOnly = useLooksOnly(runId);

  const reader = useReader(runId);
  const watch = useRef<(events: Parameters<typeof reader.add>[0]) => void>(undefined);
  const attachment = useAttachment(runId, {
    isOn: visible,
    onStart: reader.start,
    onEvents: (events) => {
      reader.add(events);
      watch.current?.(events);
    },
  });
  const { state } = attachment;
  const permissions = usePermissions(attachment, isActive);
  watch.current = permissions.watch;
  const [shown, onShow] = useShownPermission(permissions.pending);

  const { view, isAtTail } = reader.state;
  const turns = useMemo(
    () => (isAtTail ? overlayLive(view.turns, attachment.live) : view.turns),
    [isAtTail, view, attachment.live],
  );
  const workingSince = state?.turn != null && permissions.pending.length === 0 && isAtTail ? state.turn.sinceTs : null;
  const rows = useRows(turns, useIsVerbose(folds), workingSince);
  const said = useMemo(() => promptsOf(view.turns), [view.turns]);
  useAnnouncements(view.turns, isActive && reader.isReady);

  const outbox = outboxOf(runId, sendPrompt);
  const [text, setText] = useSharedText(runId, 'draft', visible);
  const images = useAttachments(runId, useImageProblem());
  const actions = useActions(runId, state?.cwd ?? attachment.session?.cwd ?? '');
  const turnActions = useTurnActions(runId, {
    turns: view.turns,
    lastSeq: view.lastSeq,
    isIdle: state?.turn == null,
    onRetry: ({ prompt }) => {
      const again = (prompt?.images ?? []).flatMap(
        (image) => Image.safeParse({ ...image, name: image.name ?? undefined }).data ?? [],
      );
      outbox.add({ text: prompt?.text ?? '', images: again });
    },
  });
  const menu = useConversationMenu(runId, folds);
  const { focusCard } = useClaudeKeys({
    runId,
    root,
    composer,
    attachment,
    folds,
    shownId: shown?.asked.requestId ?? null,
    isActive,
    hasDraft: text !== '',
    onPickModel: () => setModelOpen(true),
  });
  // The wish may come before there is anything to focus.
  const wantsFocus = useRef(false);
  const takeFocus = () => {
    wantsFocus.current = composer.current === null;
    if (text !== '' || !focusCard()) composer.current?.focus();
  };
  usePaneFocus(runId, takeFocus);
  const hasState = state !== null;
  const takeLate = useStable(takeFocus);
  useEffect(() => {
    if (hasState && wantsFocus.current) takeLate();
  }, [hasState, takeLate]);

  const toEnd = useStable(() => list.current?.toEnd());
  const { pending, answer, answered } = permissions;
  const cards = useMemo(
    () => (
      <PermissionCards
        pending={pending}
        shown={shown}
        onShow={onShow}
        onAnswer={answer}
        obstacle={isOnline ? looksOnly : t('permission.offline')}
        answered={answered}
      />
    ),
    [pending, shown, onShow, answer, answered, isOnline, looksOnly, t],
  );

  if (attachment.refusal !== null)
    return (
      <EmptyState title={t('refused')} text={[attachment.refusal.message, attachment.refusal.hint].filter(Boolean).join(' ')} />
    );
  return (
    <ConversationProvider value={actions}>
      <ItemRendererProvider value={ItemBody}>
        <FoldsProvider value={folds}>
          <DropTarget ref={root} onFiles={(files) => looksOnly ?? void images.add(files)}>
            {visible && <ConversationView list={list} reader={reader} rows={rows} state={state} turnActions={turnActions} />}
            {state !== null && (
              <ComposerArea
                ref={composer}
                session={attachment.session}
                send={attachment.send}
                state={state}
                isOnline={isOnline}
                looksOnly={looksOnly}
                outbox={outbox}
                text={text}
                onText={setText}
                images={images}
                said={said}
                isModelOpen={isModelOpen}
                onModelOpen={setModelOpen}
                menu={menu}
                onSent={toEnd}
              >
                {cards}
              </ComposerArea>
            )}
          </DropTarget>
        </FoldsProvider>
      </ItemRendererProvider>
    </ConversationProvider>
  );
}

const sendPrompt: Parameters<typeof outboxOf>[1] = (runId, content, inputId) =>
  sendCommand(runId, { kind: 'prompt', content }, inputId);
