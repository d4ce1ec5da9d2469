import { ImageOff } from 'lucide-react';
import { type ComponentProps, isValidElement, memo, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Components, Streamdown, useIsCodeFenceIncomplete } from 'streamdown';
import { classes } from '../../ui/classes.ts';
import { Icon } from '../../ui/icon.tsx';
import { useConversation } from '../conversation-context.ts';
import { ScrollBox } from '../scroll-box.tsx';
import { CodeBlock } from './code-block.tsx';
import { readLink } from './links.ts';

/** Passed over: the components decide what becomes of an address, and plain HTML is shown as the text it is. */
const asWritten = (url: string): string => url;
const noPlugins: NonNullable<ComponentProps<typeof Streamdown>['rehypePlugins']> = [];

/** Markdown as Claude writes it: also while it is being written, when fences and emphasis are still open. */
export const Markdown = memo(function Markdown({ text, isLive, className }: MarkdownProps) {
  // What is there whole is drawn at once, at its full height. What was being written stays in the other mode when the last piece
  // has come: changing it would draw everything anew.
  const [wasLive] = useState(isLive);
  return (
    <Streamdown
      mode={wasLive ? 'streaming' : 'static'}
      parseIncompleteMarkdown={isLive}
      controls={false}
      components={components}
      rehypePlugins={noPlugins}
      urlTransform={asWritten}
      className={classes('baton-prose selectable', className)}
    >
      {text}
    </Streamdown>
  );
});

export interface MarkdownProps {
  readonly text: string;
  readonly isLive: boolean;
  readonly className?: string;
}

function Link({ href, children }: { href?: string | undefined; children?: ReactNode; node?: unknown }) {
  const { openLink, openPath } = useConversation();
  const link = readLink(href ?? '');
  const look = 'text-link underline decoration-line-strong underline-offset-2 hover:decoration-current';
  switch (link.is) {
    case 'web':
      return (
        <a
          href={link.url}
          title={link.url}
          rel="noreferrer"
          onClick={(event) => {
            event.preventDefault();
            openLink(link.url);
          }}
          onAuxClick={(event) => event.preventDefault()}
          className={look}
        >
          {children}
        </a>
      );
    case 'file':
      return (
        <button
          type="button"
          title={link.path}
          onClick={() => openPath(link.path, link.line)}
          className={classes('inline', look)}
        >
          {children}
        </button>
      );
    case 'none':
      return (
        <span title={href} className="underline decoration-dotted">
          {children}
        </span>
      );
  }
}

/** Images are never fetched: an address in them would tell somebody that they were looked at. */
function ImagePlace({ alt, src }: { alt?: string | undefined; src?: unknown; node?: unknown }) {
  const { t } = useTranslation('claude');
  const { openLink } = useConversation();
  const link = readLink(typeof src === 'string' ? src : '');
  const name = alt || t('image.unnamed');
  const look = 'inline-flex items-center gap-1 rounded-sm border border-line px-1 text-dim';
  if (link.is !== 'web')
    return (
      <span className={look}>
        <Icon of={ImageOff} size={14} />
        {name}
      </span>
    );
  return (
    <button type="button" title={link.url} onClick={() => openLink(link.url)} className={classes(look, 'hover:bg-hover')}>
      <Icon of={ImageOff} size={14} />
      {name}
    </button>
  );
}

/** The text below an element of the tree. */
function textOf(node: ReactNode): string {
  if (typeof node === 'string' || typeof node === 'number') return String(node);
  if (Array.isArray(node)) return node.map(textOf).join('');
  return isValidElement<{ children?: ReactNode }>(node) ? textOf(node.props.children) : '';
}

function Pre({ children }: { children?: ReactNode; node?: unknown }) {
  const isOpen = useIsCodeFenceIncomplete();
  const child = Array.isArray(children) ? children[0] : children;
  const name = isValidElement<{ className?: string }>(child) ? (child.props.className ?? '') : '';
  const language = /language-(\S+)/.exec(name)?.[1] ?? '';
  return <CodeBlock code={textOf(children).replace(/\n$/, '')} language={language} isLive={isOpen} />;
}

function Table({ children }: { children?: ReactNode; node?: unknown }) {
  const { t } = useTranslation('claude');
  return (
    <ScrollBox label={t('table')} className="max-w-full">
      <table className="w-max max-w-none">{children}</table>
    </ScrollBox>
  );
}

const heading = (Tag: 'h1' | 'h2' | 'h3' | 'h4', look: string) =>
  function Heading({ children }: { children?: ReactNode; node?: unknown }) {
    return <Tag className={look}>{children}</Tag>;
  };

const components: Components = {
  a: Link,
  img: ImagePlace,
  // A block of code is drawn by `pre`; this is the one within a line.
  code: ({ children }) => <code className="rounded-sm bg-hover px-1 py-px text-[12px] break-words">{children}</code>,
  p: ({ children }) => <p>{children}</p>,
  h1: heading('h1', 'text-20 font-semibold'),
  h2: heading('h2', 'text-15 font-semibold'),
  h3: heading('h3', 'font-semibold'),
  h4: heading('h4', 'font-medium'),
  ul: ({ children }) => <ul className="list-disc pl-5 marker:text-faint">{children}</ul>,
  ol: ({ children, start }) => (
    <ol start={start} className="list-decimal pl-5 marker:text-faint">
      {children}
    </ol>
  ),
  li: ({ children, className }) => (
    <li className={className?.includes('task-list-item') ? '-ml-5 list-none' : undefined}>{children}</li>
  ),
  strong: ({ children }) => <strong className="font-semibold">{children}</strong>,
  blockquote: ({ children }) => <blockquote className="border-l-2 border-line-strong pl-3 text-dim">{children}</blockquote>,
  hr: () => <hr className="border-line" />,
  table: Table,
  thead: ({ children }) => <thead>{children}</thead>,
  tbody: ({ children }) => <tbody>{children}</tbody>,
  tr: ({ children }) => <tr>{children}</tr>,
  th: ({ children, style }) => <th style={style}>{children}</th>,
  td: ({ children, style }) => <td style={style}>{children}</td>,
  pre: Pre,
};
