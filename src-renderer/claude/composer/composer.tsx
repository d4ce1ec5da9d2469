import { type ClipboardEvent, type KeyboardEvent, type ReactNode, type Ref, useImperativeHandle, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Image, PromptContent } from '../../../src-shared/events.ts';
import type { MachineId } from '../../../src-shared/ids.ts';
import { useKeptCaret } from '../../shared-text.ts';
import { PHONE, useMedia } from '../../ui/media.ts';
import { AttachedImages } from './attached-images.tsx';
import type { SlashCommand } from './completion.ts';
import { CompletionList } from './completion-list.tsx';
import { ComposerFoot } from './composer-foot.tsx';
import { usePromptHistory } from './prompt-history.ts';
import { useCompletionMenu } from './use-completion-menu.ts';

export interface ComposerProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly images: readonly Image[];
  readonly onFiles: (files: readonly File[]) => void;
  readonly onRemoveImage: (index: number) => void;
  readonly onSend: (content: PromptContent) => void;
  /** A turn runs: it can be interrupted, and what is sent is queued. */
  readonly isBusy: boolean;
  readonly onInterrupt: () => void;
  readonly commands: readonly SlashCommand[];
  readonly cwd: string;
  /** Whose files `cwd` has; null: this machine's. */
  readonly machineId: MachineId | null;
  /** What was said before, oldest first. */
  readonly said: readonly string[];
  /** Mode, model and meter. */
  readonly options: ReactNode;
  readonly placeholder: string;
  readonly ref?: Ref<ComposerHandle>;
}

export interface ComposerHandle {
  readonly focus: () => void;
  readonly hasFocus: () => boolean;
  /** A list of completions is open: Escape belongs to it. */
  readonly isCompleting: () => boolean;
  /** When a key was pressed last, ms since 1970; 0: never. */
  readonly typedAt: () => number;
}

/** Where the user writes: grows with its text; Enter sends, Shift+Enter is a new line. */
export function Composer(props: ComposerProps) {
  const { text, onText, images, onFiles, onRemoveImage, onSend, isBusy, commands, cwd, machineId, said, ref } = props;
  const { t } = useTranslation('claude');
  const field = useRef<HTMLTextAreaElement>(null);
  const typedAt = useRef(0);
  const isPhone = useMedia(PHONE);
  const [caret, setCaret] = useState(0);
  const put = (next: string, at: number) => {
    onText(next);
    setCaret(at);
    // The caret can only be set once the text is there.
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at));
  };
  const { completion, listId, active, ...menu } = useCompletionMenu({ text, caret, put }, commands, { cwd, machineId });
  const history = usePromptHistory(said, text, (next) => put(next, next.length));
  useKeptCaret(field, text);
  useImperativeHandle(
    ref,
    () => ({
      focus: () => field.current?.focus(),
      hasFocus: () => document.activeElement === field.current,
      isCompleting: () => completion !== null && document.activeElement === field.current,
      typedAt: () => typedAt.current,
    }),
    [completion],
  );

  const canSend = text.trim() !== '' || images.length > 0;
  const send = () => {
    if (!canSend) return;
    onSend({ text, images: [...images] });
    history.reset();
    setCaret(0);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    typedAt.current = Date.now();
    if (event.nativeEvent.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    // The keyboard of a phone has no Shift+Enter to speak of: there the button sends.
    const sends = event.key === 'Enter' && !event.shiftKey && !isPhone;
    const isTaken = menu.handleKey(event);
    if (!isTaken && sends) send();
    if (isTaken || sends || history.handleKey(event)) event.preventDefault();
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    // Text that brings a picture of itself along is pasted as text.
    if (files.length === 0 || event.clipboardData.getData('text/plain') !== '') return;
    event.preventDefault();
    onFiles(files);
  };

  return (
    <div className="relative rounded-md border border-control-line/60 bg-field focus-within:border-accent">
      {completion !== null && (
        <CompletionList
          id={listId}
          kind={completion.trigger.kind}
          choices={completion.choices}
          active={active}
          onActive={menu.setActive}
          onChoose={menu.choose}
        />
      )}
      <AttachedImages images={images} onRemove={onRemoveImage} />
      <textarea
        ref={field}
        data-region-focus
        data-context="claude"
        value={text}
        rows={Math.min(12, text.split('\n').length)}
        spellCheck
        aria-label={t('composer.label')}
        aria-autocomplete="list"
        aria-controls={completion === null ? undefined : listId}
        aria-activedescendant={completion === null ? undefined : `${listId}-${active}`}
        placeholder={props.placeholder}
        onChange={(event) => {
          onText(event.target.value);
          setCaret(event.target.selectionStart);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        className="block max-h-[38vh] min-h-10 phone:max-h-[24vh] w-full resize-none bg-transparent px-3 pt-2.5 pb-1 text-13 [field-sizing:content] select-text focus-visible:outline-none"
      />
      <ComposerFoot
        options={props.options}
        onFiles={onFiles}
        isBusy={isBusy}
        onInterrupt={props.onInterrupt}
        canSend={canSend}
        onSend={send}
      />
    </div>
  );
}
