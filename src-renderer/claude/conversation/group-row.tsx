import { Search } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { ToolItem, ToolStatus } from '../../../src-shared/conversation/conversation-items.ts';
import { Icon } from '../../ui/icon.tsx';
import { useConversation } from '../conversation-context.ts';
import { describeTool } from '../tools/describe.ts';
import { FoldLine, StatusMark, ToolRow } from '../tools/tool-row.tsx';
import { useFold } from './folds.ts';

/** Names that are listed in the folded line. */
const NAMED = 3;

/** Several calls in a row that only looked, as one line. */
export const GroupRow = memo(function GroupRow({ foldKey, tools }: { foldKey: string; tools: readonly ToolItem[] }) {
  const { t } = useTranslation('claude');
  const { cwd } = useConversation();
  const [isOpen, toggle] = useFold(foldKey);
  const looks = tools.map((tool) => describeTool(tool, cwd));
  const reads = looks.filter((look) => look.verb === 'read').length;
  const others = looks.length - reads;
  const counts = [reads > 0 && t('group.reads', { count: reads }), others > 0 && t('group.searches', { count: others })].filter(
    Boolean,
  );
  const names = looks.slice(0, NAMED).map((look) => look.object.slice(look.object.lastIndexOf('/') + 1));
  const id = `${foldKey}-calls`;
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={toggle} controls={id}>
        <Icon of={Search} size={14} className="text-faint" />
        <span className="flex min-w-0 flex-1 items-baseline gap-1.5">
          <span className="shrink-0">{counts.join(', ')}</span>
          {!isOpen && (
            <span className="truncate font-mono text-[12px] text-faint">
              {names.join('  ')}
              {looks.length > NAMED ? ' …' : ''}
            </span>
          )}
        </span>
        <StatusMark status={worst(tools)} />
      </FoldLine>
      {isOpen && (
        <ul id={id} className="mt-1 mb-2 ml-6 space-y-0.5">
          {tools.map((tool) => (
            <li key={tool.key}>
              <ToolRow tool={tool} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
});

/** What the one mark of several calls says: that one still runs, else that one failed. */
function worst(tools: readonly ToolItem[]): ToolStatus {
  const order: readonly ToolStatus[] = ['running', 'error', 'stopped'];
  return order.find((status) => tools.some((tool) => tool.status === status)) ?? 'ok';
}
