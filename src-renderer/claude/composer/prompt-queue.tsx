import { ArrowDown, ArrowUp, Clock, GripVertical, Pencil, RotateCcw, Trash2, X } from 'lucide-react';
import { type DragEvent, type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { InputId } from '../../../src-shared/ids.ts';
import type { OutboxItem } from '../../../src-shared/operations.ts';
import type { QueuedPrompt } from '../../../src-shared/session.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Icon } from '../../ui/icon.tsx';
import { TextArea } from '../../ui/input.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import type { OutgoingPrompt } from './outbox.ts';

export interface PromptQueueProps {
  readonly queue: readonly QueuedPrompt[];
  readonly outgoing: readonly OutgoingPrompt[];
  readonly isOnline: boolean;
  /** It may be looked at only. */
  readonly isFixed: boolean;
  /** What this machine keeps for the one that the session runs on. */
  readonly held: readonly OutboxItem[];
  /** The name of that machine. */
  readonly machine: string;
  readonly onCancelHeld: (inputId: InputId) => void;
  readonly onEdit: (target: InputId, text: string) => void;
  /** `before: null`: to the end. */
  readonly onMove: (target: InputId, before: InputId | null) => void;
  readonly onDelete: (target: InputId) => void;
  readonly onRetry: (inputId: InputId) => void;
  readonly onDiscard: (inputId: InputId) => void;
}

/** Prompts that wait for their turn, in its order, and those that are not with the engine yet. */
export function PromptQueue(props: PromptQueueProps) {
  const { queue, isOnline, onMove, onRetry, onDiscard } = props;
  const { outgoing, waiting } = apart(props);
  const { t } = useTranslation('claude');
  const [dragged, setDragged] = useState<InputId | null>(null);
  if (queue.length === 0 && outgoing.length === 0 && waiting.length === 0) return null;
  const move = (index: number, by: 1 | -1) => {
    const target = queue[index];
    // Moving down by one is moving before the one after the next.
    const before = by === -1 ? queue[index - 1] : queue[index + 2];
    if (target !== undefined && (by === 1 || before !== undefined)) onMove(target.inputId, before?.inputId ?? null);
  };
  return (
    <section aria-label={t('queue.label')} className="rounded-md border border-line bg-sunken">
      <p className="flex h-6 items-center px-3 text-11 text-faint">
        {t('queue.title', { count: queue.length + outgoing.length + waiting.length })}
      </p>
      <ol className="max-h-48 overflow-y-auto">
        {queue.map((prompt, index) => (
          <QueuedRow
            key={prompt.inputId}
            {...props}
            prompt={prompt}
            index={index}
            onStep={move}
            isDragged={dragged === prompt.inputId}
            onDragStart={() => setDragged(prompt.inputId)}
            onDragEnd={() => setDragged(null)}
            onDropped={() => {
              if (dragged !== null && dragged !== prompt.inputId) onMove(dragged, prompt.inputId);
              setDragged(null);
            }}
          />
        ))}
        {waiting.map((item) => (
          <HeldRow key={item.inputId} {...props} item={item} />
        ))}
        {outgoing.map((prompt) => (
          <OutgoingRow key={prompt.inputId} prompt={prompt} isOnline={isOnline} onRetry={onRetry} onDiscard={onDiscard} />
        ))}
      </ol>
    </section>
  );
}

interface QueuedRowProps extends PromptQueueProps {
  readonly prompt: QueuedPrompt;
  readonly index: number;
  readonly onStep: (index: number, by: 1 | -1) => void;
  readonly isDragged: boolean;
  readonly onDragStart: () => void;
  readonly onDragEnd: () => void;
  readonly onDropped: () => void;
}

function QueuedRow({
  prompt,
  index,
  queue,
  isFixed,
  onStep,
  onEdit,
  onDelete,
  isDragged,
  onDragStart,
  onDragEnd,
  onDropped,
}: QueuedRowProps) {
  const { t } = useTranslation('claude');
  const [edited, setEdited] = useState<string | null>(null);
  const { text, images } = prompt.content;
  const number = index + 1;
  const drag = (event: DragEvent) => {
    event.dataTransfer.effectAllowed = 'move';
    // Firefox drags nothing without data.
    event.dataTransfer.setData('text/plain', text);
    onDragStart();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (edited !== null || isFixed || !event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    onStep(index, event.key === 'ArrowUp' ? -1 : 1);
  };
  if (edited !== null)
    return (
      <li className="border-t border-line p-2">
        <QueueEditor
          label={t('queue.editLabel', { number })}
          text={edited}
          onText={setEdited}
          onCancel={() => setEdited(null)}
          onSave={() => {
            if (edited.trim() !== '' && edited !== text) onEdit(prompt.inputId, edited);
            setEdited(null);
          }}
        />
      </li>
    );
  return (
    <li
      draggable={!isFixed}
      onDragStart={drag}
      onDragEnd={onDragEnd}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDropped();
      }}
      onKeyDown={onKeyDown}
      className={`group/queued flex min-h-8 items-center gap-2 border-t border-line px-2 ${isDragged ? 'opacity-50' : ''}`}
    >
      {!isFixed && <Icon of={GripVertical} size={14} className="cursor-grab text-faint" />}
      <span className="min-w-0 flex-1 truncate" title={text}>
        {text || t('queue.imagesOnly')}
        {images.length > 0 && <span className="ml-2 text-11 text-faint">{t('queue.images', { count: images.length })}</span>}
      </span>
      {!isFixed && (
        <span className="flex shrink-0">
          <IconButton icon={ArrowUp} label={t('queue.up', { number })} disabled={index === 0} onClick={() => onStep(index, -1)} />
          <IconButton
            icon={ArrowDown}
            label={t('queue.down', { number })}
            disabled={index === queue.length - 1}
            onClick={() => onStep(index, 1)}
          />
          <IconButton icon={Pencil} label={t('queue.edit', { number })} onClick={() => setEdited(text)} />
          <IconButton icon={Trash2} label={t('queue.delete', { number })} onClick={() => onDelete(prompt.inputId)} />
        </span>
      )}
    </li>
  );
}

interface EditorProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onSave: () => void;
  readonly onCancel: () => void;
}

function QueueEditor({ label, text, onText, onSave, onCancel }: EditorProps) {
  const { t } = useTranslation('claude');
  return (
    <div className="space-y-2">
      <TextArea
        autoFocus
        value={text}
        aria-label={label}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            onSave();
          } else if (event.key === 'Escape') {
            event.preventDefault();
            onCancel();
          }
        }}
      />
      <div className="flex justify-end gap-2">
        <Button size="sm" onClick={onCancel}>
          {t('cancel')}
        </Button>
        <Button size="sm" variant="primary" onClick={onSave}>
          {t('queue.save')}
        </Button>
      </div>
    </div>
  );
}

/** A prompt of this window's that waits for another machine is with both outboxes: it is shown once. What is in the host's queue has arrived. */
function apart({ outgoing, held, queue }: PromptQueueProps) {
  const heldIds = new Set(held.map(({ inputId }) => inputId));
  const arrived = new Set(queue.map(({ inputId }) => inputId));
  return {
    outgoing: outgoing.filter(({ inputId }) => !heldIds.has(inputId) && !arrived.has(inputId)),
    waiting: held.filter(({ inputId }) => !arrived.has(inputId)),
  };
}

/** Kept by this machine until the one that the session runs on has answered. */
function HeldRow({ item, machine, onCancelHeld }: PromptQueueProps & { item: OutboxItem }) {
  const { t } = useTranslation('claude');
  const { inputId, text, kind, state } = item;
  const isWaiting = state === 'waiting';
  return (
    <li className="flex min-h-8 flex-wrap items-center gap-2 border-t border-line px-3 py-1">
      {isWaiting ? <Icon of={Clock} size={14} className="text-faint" /> : <Spinner className="size-3.5 text-dim" />}
      <span className="min-w-0 flex-1 truncate" title={text}>
        {text ||
          (kind === 'permission' ? t('queue.heldAnswer') : kind === 'prompt' ? t('queue.imagesOnly') : t('queue.heldChange'))}
      </span>
      <span className="text-11 text-dim">{isWaiting ? t('queue.held', { name: machine }) : t('queue.sending')}</span>
      {/* What is on its way may have been carried out. */}
      {isWaiting && <IconButton icon={X} label={t('queue.cancelHeld')} onClick={() => onCancelHeld(inputId)} />}
    </li>
  );
}

/** Not with the engine: on its way, waiting for the connection, or refused. */
function OutgoingRow({
  prompt,
  isOnline,
  onRetry,
  onDiscard,
}: {
  prompt: OutgoingPrompt;
  isOnline: boolean;
  onRetry: (inputId: InputId) => void;
  onDiscard: (inputId: InputId) => void;
}) {
  const { t } = useTranslation('claude');
  const { inputId, content, failure } = prompt;
  return (
    <li className="flex min-h-8 flex-wrap items-center gap-2 border-t border-line px-3 py-1">
      {failure === null && <Spinner className="size-3.5 text-dim" />}
      <span className="min-w-0 flex-1 truncate">{content.text || t('queue.imagesOnly')}</span>
      {failure === null ? (
        <span className="text-11 text-dim">{isOnline ? t('queue.sending') : t('queue.waiting')}</span>
      ) : (
        <>
          <span className="min-w-0 text-11 text-danger break-words">{t('queue.failed', { reason: failure })}</span>
          <Button size="sm" icon={RotateCcw} onClick={() => onRetry(inputId)}>
            {t('tryAgain')}
          </Button>
          <IconButton icon={Trash2} label={t('queue.discard')} onClick={() => onDiscard(inputId)} />
        </>
      )}
    </li>
  );
}
