import { Ban, Check, ChevronRight, CircleStop, TriangleAlert, X } from 'lucide-react';
import { memo, type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ToolItem, ToolStatus } from '../../../src-shared/conversation/conversation-items.ts';
import { classes } from '../../ui/classes.ts';
import { Icon } from '../../ui/icon.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { useFold } from '../conversation/folds.ts';
import { useConversation } from '../conversation-context.ts';
import { describeTool, type ToolLook } from './describe.ts';
import { ChangeCounts } from './file-diff.tsx';
import { formatDuration } from './output.tsx';
import { patchOf } from './patch.ts';
import { ToolDetails } from './tool-details.tsx';

/** A tool call: one quiet line that unfolds. */
export const ToolRow = memo(function ToolRow({ tool }: { tool: ToolItem }) {
  const { cwd } = useConversation();
  const [isOpen, toggle] = useFold(tool.key, opensByItself(tool));
  const look = describeTool(tool, cwd);
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={toggle} controls={`${tool.key}-details`}>
        <ToolLine tool={tool} look={look} />
      </FoldLine>
      {isOpen && (
        <div id={`${tool.key}-details`} className="mt-1 mb-3 ml-6">
          <ToolDetails tool={tool} />
        </div>
      )}
    </div>
  );
});

/** What is read for its own sake rather than as a step on the way. */
function opensByItself(tool: ToolItem): boolean {
  if (tool.name === 'TodoWrite') return true;
  // While it is asked, it stands in the card.
  return (tool.name === 'ExitPlanMode' || tool.name === 'AskUserQuestion') && tool.status === 'ok';
}

/** The line of something that unfolds. */
export function FoldLine({
  isOpen,
  onToggle,
  controls,
  children,
}: {
  isOpen: boolean;
  onToggle: () => void;
  controls: string;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      aria-controls={isOpen ? controls : undefined}
      onClick={onToggle}
      className="group/fold -ml-1 flex min-h-6 w-[calc(100%+8px)] items-center gap-2 rounded-sm px-1 text-left text-dim hover:bg-hover"
    >
      {children}
      <Icon
        of={ChevronRight}
        size={14}
        className={classes(
          'text-faint opacity-0 transition-transform duration-120 group-hover/fold:opacity-100 group-focus-visible/fold:opacity-100',
          isOpen && 'rotate-90 opacity-100',
        )}
      />
    </button>
  );
}

function ToolLine({ tool, look }: { tool: ToolItem; look: ToolLook }) {
  const { t } = useTranslation('claude');
  const patch = patchOf(tool);
  const isOver = tool.status !== 'running' && tool.status !== 'waiting';
  return (
    <>
      <Icon of={look.icon} size={14} className={tool.status === 'error' ? 'text-danger' : 'text-faint'} />
      <span className="flex min-w-0 flex-1 items-baseline gap-1.5">
        <span className="shrink-0 text-dim">{t(`tool.${look.verb}.${phase(tool.status)}`)}</span>
        <span className={classes('truncate', look.isCode ? 'font-mono text-[12px]' : '', 'text-text')} title={look.object}>
          {look.object || partialObject(tool)}
        </span>
        <Summary tool={tool} />
      </span>
      {patch !== null && <ChangeCounts patch={patch} />}
      <StatusMark status={tool.status} />
      {isOver ? (
        <Duration fromTs={tool.ts} toTs={tool.endedTs} />
      ) : (
        <Running sinceTs={tool.ts} isWaiting={tool.status === 'waiting'} />
      )}
    </>
  );
}

function phase(status: ToolStatus): 'now' | 'wants' | 'done' {
  if (status === 'running') return 'now';
  return status === 'waiting' || status === 'denied' ? 'wants' : 'done';
}

/** While the input is being written it is no JSON yet: its first text is what it is about. */
function partialObject(tool: ToolItem): string {
  if (tool.partialInput === null) return '';
  const [, text = ''] =
    /"(?:command|file_path|pattern|url|query|description|skill)"\s*:\s*"((?:[^"\\]|\\.)*)/.exec(tool.partialInput) ?? [];
  return text.replace(/\\n[\s\S]*$/, ' …').replace(/\\(.)/g, '$1');
}

function Summary({ tool }: { tool: ToolItem }) {
  const { t } = useTranslation('claude');
  const text = summaryOf(tool, t);
  return text === '' ? null : <span className="min-w-0 shrink-[2] truncate text-11 text-faint">{text}</span>;
}

function summaryOf(tool: ToolItem, t: ReturnType<typeof useTranslation<'claude'>>['t']): string {
  const detail = tool.result?.detail;
  switch (detail?.kind) {
    case 'file':
      return t('summary.lines', { count: detail.lines });
    case 'matches':
      return t('summary.files', { count: detail.files });
    case 'todos':
      return t('summary.todos', {
        done: detail.todos.filter((todo) => todo.status === 'completed').length,
        count: detail.todos.length,
      });
    case 'command':
      return detail.backgroundTaskId === null ? '' : t('summary.background');
    case 'subagent':
      return detail.toolUses === null ? '' : t('summary.toolUses', { count: detail.toolUses });
    default: {
      const exit = tool.status === 'error' ? /^Exit code (\d+)/.exec(tool.result?.text ?? '') : null;
      return exit === null ? '' : t('summary.exit', { code: exit[1] });
    }
  }
}

const marks: Record<ToolStatus, { icon: typeof Check; look: string } | null> = {
  running: null,
  waiting: { icon: TriangleAlert, look: 'text-accent-text' },
  ok: { icon: Check, look: 'text-faint' },
  error: { icon: X, look: 'text-danger' },
  denied: { icon: Ban, look: 'text-danger' },
  stopped: { icon: CircleStop, look: 'text-faint' },
};

export function StatusMark({ status }: { status: ToolStatus }) {
  const { t } = useTranslation('claude');
  const mark = marks[status];
  return (
    <span className="flex shrink-0 items-center gap-1 text-11">
      {mark === null ? <Spinner className="size-3.5 text-working" /> : <Icon of={mark.icon} size={14} className={mark.look} />}
      <span className={status === 'ok' || status === 'running' ? 'sr-only' : mark?.look}>{t(`toolStatus.${status}`)}</span>
    </span>
  );
}

function Duration({ fromTs, toTs }: { fromTs: number; toTs: number | null }) {
  const ms = toTs === null ? null : toTs - fromTs;
  return (
    <span className="min-w-14 shrink-0 text-right text-11 whitespace-nowrap text-faint tabular-nums">
      {ms === null || ms < 0 ? '' : formatDuration(ms)}
    </span>
  );
}

/** Counts up while it runs; while it waits for the user there is no hurry to show. */
function Running({ sinceTs, isWaiting }: { sinceTs: number; isWaiting: boolean }) {
  const now = useSeconds(!isWaiting);
  const ms = now - sinceTs;
  return (
    <span className="min-w-14 shrink-0 text-right text-11 whitespace-nowrap text-faint tabular-nums">
      {isWaiting || ms < 2000 ? '' : formatDuration(ms)}
    </span>
  );
}

/** The time now, stepped each second. */
export function useSeconds(isOn: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isOn) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}
