import { memo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../ui/copy-button.tsx';
import { ScrollBox } from '../scroll-box.tsx';
import { type TokenLines, useHighlight } from './highlight.ts';

/** Lines of a block that are shown before it is unfolded. */
const FOLDED_LINES = 40;
/** Folding fewer lines than this hides too little to be worth a button. */
const HIDDEN_LEAST = 10;

/** A block of code: coloured, scrolled sideways where it is wide, folded where it is long, copied whole. */
export const CodeBlock = memo(function CodeBlock({ code, language, isLive = false }: CodeBlockProps) {
  const { t } = useTranslation('claude');
  const [isOpen, setOpen] = useState(false);
  const lines = code.split('\n');
  const isFolded = !isLive && !isOpen && lines.length > FOLDED_LINES + HIDDEN_LEAST;
  const shown = isFolded ? lines.slice(0, FOLDED_LINES).join('\n') : code;
  return (
    <figure className="group/code relative my-3 overflow-hidden rounded-md border border-line bg-sunken">
      {language === '' ? (
        <div className="h-2" />
      ) : (
        <figcaption className="flex h-7 items-center pl-3 text-11 text-faint">{language}</figcaption>
      )}
      <CopyButton text={() => code} label={t('code.copy')} className="absolute top-0.5 right-0.5 bg-sunken text-faint" />
      <Code code={shown} language={language} label={t('code.label', { language: language || t('code.plain') })} isLive={isLive} />
      {isFolded && (
        <button
          type="button"
          onClick={() => setOpen(true)}
          className="block h-7 w-full border-t border-line text-11 text-dim hover:bg-hover hover:text-text"
        >
          {t('code.showAll', { count: lines.length })}
        </button>
      )}
    </figure>
  );
});

export interface CodeBlockProps {
  readonly code: string;
  readonly language: string;
  /** Still being written. */
  readonly isLive?: boolean;
}

/** Code alone, coloured. It can be scrolled with the keyboard. */
export function Code({
  code,
  language,
  label,
  isLive = false,
}: {
  code: string;
  language: string;
  label: string;
  isLive?: boolean;
}) {
  const lines = useHighlight(code, language, isLive);
  return (
    <ScrollBox label={label} className="px-3 pb-3">
      <pre className="baton-code w-max min-w-full text-[12px] leading-[18px] selectable">
        <code>
          {lines === null
            ? code
            : // biome-ignore lint/suspicious/noArrayIndexKey: lines of code have no identity but their place
              lines.map((tokens, row) => <Line key={row} tokens={tokens} isLast={row === lines.length - 1} />)}
        </code>
      </pre>
    </ScrollBox>
  );
}

const Line = memo(function Line({ tokens, isLast }: { tokens: TokenLines[number]; isLast: boolean }) {
  return (
    <span>
      {tokens.map((token, place) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: nor have their pieces
          key={place}
          style={{
            ...(token.colour === null ? {} : { color: token.colour }),
            ...(token.isItalic ? { fontStyle: 'italic' } : {}),
            ...(token.isBold ? { fontWeight: 600 } : {}),
          }}
        >
          {token.text}
        </span>
      ))}
      {isLast ? '' : '\n'}
    </span>
  );
});
