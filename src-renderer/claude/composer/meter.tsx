import { Popover } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { Usage } from '../../../src-shared/events.ts';
import { formatCost, formatTokens } from '../../status/figures.ts';
import { classes } from '../../ui/classes.ts';

/** From here on the context is nearly full: Claude Code is about to sum up what was said. */
const NEARLY_FULL = 0.85;

/** How full the context is; opened, what was used and what it cost. */
export function UsageMeter({ usage }: { usage: Usage }) {
  const { t } = useTranslation('claude');
  const { contextTokens, contextWindow } = usage;
  const part = contextTokens === null || contextWindow === null || contextWindow === 0 ? null : contextTokens / contextWindow;
  const percent = part === null ? null : Math.round(part * 100);
  const name = percent === null ? t('meter.label') : t('meter.labelPercent', { percent });
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={name}
        className="flex h-6 items-center gap-1.5 rounded-sm px-1.5 text-11 text-dim tabular-nums hover:bg-hover hover:text-text data-[state=open]:bg-hover"
      >
        <Ring part={part ?? 0} />
        <span className="whitespace-nowrap @max-[440px]:hidden">{percent === null ? t('meter.usage') : `${percent} %`}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="top"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={t('meter.label')}
          className="z-50 w-64 animate-appear rounded-md border border-line bg-raised p-3 text-13 shadow-float"
        >
          <dl className="space-y-1 tabular-nums">
            {contextTokens !== null && contextWindow !== null && (
              <Figure
                name={t('meter.context')}
                value={t('meter.of', { used: formatTokens(contextTokens), all: formatTokens(contextWindow) })}
              />
            )}
            <Figure name={t('meter.input')} value={formatTokens(usage.inputTokens)} />
            <Figure name={t('meter.cached')} value={formatTokens(usage.cacheReadTokens + usage.cacheWriteTokens)} />
            <Figure name={t('meter.output')} value={formatTokens(usage.outputTokens)} />
            <Figure name={t('meter.turns')} value={String(usage.turns)} />
            {usage.costUsd !== null && <Figure name={t('meter.cost')} value={formatCost(usage.costUsd)} />}
          </dl>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-dim">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Ring({ part }: { part: number }) {
  const full = Math.min(1, Math.max(0, part));
  const length = 2 * Math.PI * 5;
  return (
    <svg
      aria-hidden
      viewBox="0 0 14 14"
      className={classes('size-3.5 -rotate-90', part > NEARLY_FULL ? 'text-danger' : 'text-dim')}
    >
      <circle cx="7" cy="7" r="5" fill="none" stroke="var(--line-strong)" strokeWidth="2" />
      <circle
        cx="7"
        cy="7"
        r="5"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeDasharray={`${full * length} ${length}`}
      />
    </svg>
  );
}
