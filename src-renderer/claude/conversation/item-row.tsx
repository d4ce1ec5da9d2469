import { Braces, Brain, CircleAlert, ShieldCheck } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { PermissionItem, ThinkingItem } from '../../../src-shared/conversation/conversation-items.ts';
import { Icon } from '../../ui/icon.tsx';
import { Code } from '../markdown/code-block.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { FoldLine, ToolRow } from '../tools/tool-row.tsx';
import { useFold } from './folds.ts';
import { NoticeRow } from './notice-row.tsx';
import { QuietRow } from './quiet-row.tsx';
import type { ShownItem } from './rows.ts';

/** One item of a turn. */
export const ItemBody = memo(function ItemBody({ item }: { item: ShownItem }) {
  switch (item.kind) {
    case 'text':
      return <Markdown text={item.text} isLive={item.live} />;
    case 'thinking':
      return <Thinking item={item} />;
    case 'tool':
      return <ToolRow tool={item} />;
    case 'error':
      return <ErrorLine text={item.text} />;
    case 'notice':
      return <NoticeRow item={item} />;
    case 'permission':
      return <PermissionLine item={item} />;
    case 'raw':
      return <Raw foldKey={item.key} label={item.label} value={item.value} />;
    case 'quiet':
      return <QuietRow item={item} />;
  }
});

/** Folded and dim: it is there for who wants to know. */
function Thinking({ item }: { item: ThinkingItem }) {
  const { t } = useTranslation('claude');
  const [isOpen, toggle] = useFold(item.key);
  const id = `${item.key}-thinking`;
  const first = item.text.trim().split('\n', 1)[0] ?? '';
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={toggle} controls={id}>
        <Icon of={Brain} size={14} className="text-faint" />
        <span className="shrink-0">{item.live ? t('thinking.now') : t('thinking.done')}</span>
        {!isOpen && <span className="min-w-0 flex-1 truncate text-faint italic">{first}</span>}
        {isOpen && <span className="flex-1" />}
      </FoldLine>
      {isOpen && (
        <div id={id} className="mt-1 mb-2 ml-6 border-l border-line pl-4 text-faint">
          <Markdown text={item.text} isLive={item.live} />
        </div>
      )}
    </div>
  );
}

function ErrorLine({ text }: { text: string }) {
  return (
    <div className="flex max-w-[76ch] items-start gap-2 rounded-md bg-danger-soft px-3 py-2">
      <Icon of={CircleAlert} className="mt-0.5 text-danger" />
      <p className="min-w-0 break-words whitespace-pre-wrap selectable">{text}</p>
    </div>
  );
}

function PermissionLine({ item }: { item: PermissionItem }) {
  const { t } = useTranslation('claude');
  const { decision, moot } = item.mark;
  return (
    <p className="flex items-center gap-2 text-dim">
      <Icon of={ShieldCheck} size={14} className="text-faint" />
      {t(`permission.line.${decision === null ? 'open' : moot ? 'moot' : decision}`, { tool: item.toolName })}
    </p>
  );
}

/** What this version does not know, as it came. */
export function Raw({ foldKey, label, value }: { foldKey: string; label: string; value: unknown }) {
  const { t } = useTranslation('claude');
  const [isOpen, toggle] = useFold(foldKey);
  const id = `${foldKey}-raw`;
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={toggle} controls={id}>
        <Icon of={Braces} size={14} className="text-faint" />
        <span className="min-w-0 flex-1 truncate font-mono text-[12px] text-faint">{label}</span>
      </FoldLine>
      {isOpen && (
        <div id={id} className="mt-1 mb-2 ml-6 max-h-90 overflow-auto rounded-md border border-line bg-sunken pt-2">
          <Code code={JSON.stringify(value, null, 2) ?? ''} language="json" label={t('raw.label', { label })} />
        </div>
      )}
    </div>
  );
}
