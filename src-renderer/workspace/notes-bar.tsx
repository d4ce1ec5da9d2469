import { ChevronUp, StickyNote } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { useKeptCaret, useSharedText } from '../shared-text.ts';
import { useWindow } from '../store.ts';
import { afterClose } from '../ui/after-close.tsx';
import { IconButton } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { paneIdOf } from './layout.ts';
import { focusPane } from './pane-focus.ts';

/** Above a session: what somebody wants to remember about it. One line while folded; nothing at all where nothing was written. */
export function NotesBar({ runId, visible }: { runId: RunId; visible: boolean }) {
  const { t } = useTranslation();
  const isOpen = useWindow((window) => window.openNotes.has(runId));
  const [text, setText] = useSharedText(runId, 'notes', visible);
  if (isOpen) return <OpenNotes runId={runId} text={text} onText={setText} />;
  const line = text.trim().split('\n', 1)[0] ?? '';
  if (line === '') return null;
  return (
    <button
      type="button"
      aria-expanded={false}
      aria-label={t('notes.unfold', { line })}
      onClick={() => setNotesOpen(runId, true)}
      className="flex h-7 shrink-0 items-center gap-1.5 border-b border-line bg-sunken px-3 text-left text-11 text-dim hover:text-text phone:h-9"
    >
      <Icon of={StickyNote} size={14} className="shrink-0 text-faint" />
      <span className="min-w-0 truncate">{line}</span>
    </button>
  );
}

function OpenNotes({ runId, text, onText }: { runId: RunId; text: string; onText: (text: string) => void }) {
  const { t } = useTranslation();
  const field = useRef<HTMLTextAreaElement>(null);
  useKeptCaret(field, text);
  useEffect(() => afterClose(() => field.current?.focus()), []);
  const fold = () => {
    setNotesOpen(runId, false);
    focusPane(paneIdOf({ is: 'session', runId }));
  };
  return (
    <section
      aria-label={t('notes.title')}
      className="flex shrink-0 items-start gap-1.5 border-b border-line bg-sunken py-1 pr-1.5 pl-3 focus-within:bg-field"
    >
      <Icon of={StickyNote} size={14} className="mt-1.5 shrink-0 text-faint" />
      <textarea
        ref={field}
        value={text}
        rows={Math.min(8, Math.max(2, text.split('\n').length))}
        spellCheck
        aria-label={t('notes.title')}
        placeholder={t('notes.placeholder')}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || event.nativeEvent.isComposing) return;
          event.preventDefault();
          event.stopPropagation();
          fold();
        }}
        className="block max-h-[30vh] min-w-0 flex-1 resize-none bg-transparent py-1 text-13 [field-sizing:content] select-text placeholder:text-faint focus-visible:outline-none"
      />
      <IconButton icon={ChevronUp} label={t('notes.fold')} onClick={fold} />
    </section>
  );
}

export function setNotesOpen(runId: RunId, isOpen: boolean): void {
  useWindow.setState(({ openNotes }) => {
    const next = new Set(openNotes);
    if (isOpen) next.add(runId);
    else next.delete(runId);
    return { openNotes: next };
  });
}
