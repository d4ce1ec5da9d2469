import { memo, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../ui/copy-button.tsx';
import { ScrollBox } from '../scroll-box.tsx';
import { parseAnsi, stripAnsi } from './ansi.ts';

/** Lines of output that are shown before it is unfolded: the last ones, where results and errors stand. */
const FOLDED_LINES = 16;
const HIDDEN_LEAST = 4;
/** More than this is for an editor: it can be copied whole. */
const MOST_LINES = 5000;

/** What a command printed: with its colours, the end first, the rest on demand. */
export const Output = memo(function Output({ text, tone = 'plain' }: { text: string; tone?: 'plain' | 'error' }) {
  const { t, i18n } = useTranslation('claude');
  const [isOpen, setOpen] = useState(false);
  const lines = useMemo(() => text.replace(/\n+$/, '').split('\n'), [text]);
  const limit = isOpen ? MOST_LINES : lines.length > FOLDED_LINES + HIDDEN_LEAST ? FOLDED_LINES : lines.length;
  const hidden = Math.max(0, lines.length - limit);
  const shown = hidden === 0 ? lines.join('\n') : lines.slice(hidden).join('\n');
  const pieces = useMemo(() => parseAnsi(shown), [shown]);
  return (
    <div className="group/output relative">
      {hidden > 0 && (
        <button
          type="button"
          onClick={() => setOpen(true)}
          disabled={isOpen}
          className="block h-6 w-full px-3 text-left text-11 text-dim hover:bg-hover hover:text-text disabled:hover:bg-transparent"
        >
          {t(isOpen ? 'output.tooLong' : 'output.showAll', { count: lines.length, size: formatSize(text.length, i18n.language) })}
        </button>
      )}
      <ScrollBox label={t('output.label')} className="px-3 py-1.5">
        <pre
          className={`baton-code w-max min-w-full text-[12px] leading-[18px] selectable ${tone === 'error' ? 'text-danger' : 'text-dim'}`}
        >
          {pieces.map((piece, index) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of output have no identity but their place
              key={index}
              style={{
                ...(piece.colour === null ? {} : { color: `var(${piece.colour})` }),
                ...(piece.isBold ? { fontWeight: 600 } : {}),
                ...(piece.isItalic ? { fontStyle: 'italic' } : {}),
                ...(piece.isUnderlined ? { textDecoration: 'underline' } : {}),
              }}
            >
              {piece.text}
            </span>
          ))}
        </pre>
      </ScrollBox>
      <CopyButton
        text={() => stripAnsi(text)}
        label={t('output.copy')}
        className="absolute top-0.5 right-0.5 bg-sunken opacity-0 group-hover/output:opacity-100 focus-visible:opacity-100"
      />
    </div>
  );
});

/** "812 B", "56 KB", "1.2 MB". */
export function formatSize(bytes: number, language: string): string {
  const number = (value: number) => new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
  if (bytes < 1000) return `${number(bytes)} B`;
  return bytes < 1_000_000 ? `${number(bytes / 1000)} KB` : `${number(bytes / 1_000_000)} MB`;
}

/** "0.4 s", "12 s", "3 min 5 s". */
export function formatDuration(ms: number): string {
  if (ms < 950) return `${(Math.max(ms, 50) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
