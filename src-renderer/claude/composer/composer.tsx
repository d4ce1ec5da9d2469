import { ArrowUp, ImagePlus, Square } from 'lucide-react';
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Image, PromptContent } from '../../../src-shared/events.ts';
import { useKeyLabel } from '../../navigation/keymap.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { AttachedImages } from './attached-images.tsx';
import { complete, type SlashCommand } from './completion.ts';
import { CompletionList } from './completion-list.tsx';
import { ACCEPTED } from './images.ts';
import { usePromptHistory } from './prompt-history.ts';
import { useCompletion } from './use-completion.ts';

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
  /** What was said before, oldest first. */
  readonly said: readonly string[];
  /** Mode, model and meter. */
  readonly options: React.ReactNode;
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
  const { text, onText, images, onFiles, onRemoveImage, onSend, isBusy, onInterrupt, commands, cwd, said, ref } = props;
  const { t } = useTranslation('claude');
  const listId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const typedAt = useRef(0);
  const [caret, setCaret] = useState(0);
  const [active, setActive] = useState(0);
  /** The text for which the list was closed: it opens again when the text changes. */
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const found = useCompletion(text, caret, commands, cwd);
  const completion = found === null || closedFor === text ? null : found;
  const chosen = Math.min(active, (completion?.choices.length ?? 1) - 1);
  const history = usePromptHistory(said, text, onText);
  const interruptKey = useKeyLabel('claude.interrupt');

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
  const put = (next: string, at: number) => {
    onText(next);
    setCaret(at);
    setActive(0);
    // The caret can only be set once the text is there.
    requestAnimationFrame(() => field.current?.setSelectionRange(at, at));
  };
  const choose = (index: number) => {
    const choice = completion?.choices[index];
    if (completion === null || choice === undefined) return;
    const done = complete(text, completion.trigger, choice.insert);
    put(done.text, done.caret);
  };
  const handleCompletionKey = (event: KeyboardEvent): boolean => {
    if (completion === null) return false;
    const { choices, trigger } = completion;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setActive((chosen + (event.key === 'ArrowDown' ? 1 : choices.length - 1)) % choices.length);
      return true;
    }
    if (event.key === 'Escape') {
      setClosedFor(text);
      return true;
    }
    // A command that stands there whole is meant to be sent.
    const isWhole = trigger.kind === 'command' && choices[chosen]?.insert === text.trim();
    if (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey && !isWhole)) {
      choose(chosen);
      return true;
    }
    return false;
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    typedAt.current = Date.now();
    if (event.nativeEvent.isComposing) return;
    const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (isPlain && handleCompletionKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && isPlain) {
      event.preventDefault();
      send();
      return;
    }
    if (isPlain && history.handleKey(event)) event.preventDefault();
  };

  return (
    <div className="relative rounded-md border border-control-line/60 bg-field focus-within:border-accent">
      {completion !== null && (
        <CompletionList
          id={listId}
          kind={completion.trigger.kind}
          choices={completion.choices}
          active={chosen}
          onActive={setActive}
          onChoose={choose}
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
        aria-activedescendant={completion === null ? undefined : `${listId}-${chosen}`}
        placeholder={props.placeholder}
        onChange={(event) => {
          onText(event.target.value);
          setCaret(event.target.selectionStart);
          setActive(0);
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const files = [...event.clipboardData.files];
          if (files.length === 0) return;
          event.preventDefault();
          onFiles(files);
        }}
        className="block max-h-[38vh] min-h-10 w-full resize-none bg-transparent px-3 pt-2.5 pb-1 text-13 [field-sizing:content] select-text focus-visible:outline-none"
      />
      <div className="flex items-center gap-1 px-1.5 pb-1.5">
        <IconButton icon={ImagePlus} label={t('image.add')} onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          multiple
          accept={ACCEPTED}
          hidden
          onChange={(event) => {
            onFiles([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <div className="flex min-w-0 flex-1 items-center gap-0.5">{props.options}</div>
        {isBusy && (
          <Button
            size="sm"
            icon={Square}
            onClick={onInterrupt}
            trailing={
              <kbd aria-hidden className="font-sans text-11 text-faint @max-[480px]:hidden">
                {interruptKey}
              </kbd>
            }
          >
            {t('composer.interrupt')}
          </Button>
        )}
        <IconButton
          icon={ArrowUp}
          label={isBusy ? t('composer.queue') : t('composer.send')}
          disabled={!canSend}
          onClick={send}
          className="bg-accent-fill text-on-accent hover:not-disabled:bg-accent-fill-hover hover:not-disabled:text-on-accent disabled:bg-selected disabled:text-faint"
        />
      </div>
    </div>
  );
}
