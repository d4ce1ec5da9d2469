import { FileText, Folder, SlashSquare } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { classes } from '../../ui/classes.ts';
import { Icon } from '../../ui/icon.tsx';
import type { CompletionChoice } from './use-completion.ts';

export interface CompletionListProps {
  readonly id: string;
  readonly kind: 'command' | 'file';
  readonly choices: readonly CompletionChoice[];
  readonly active: number;
  readonly onActive: (index: number) => void;
  readonly onChoose: (index: number) => void;
}

/** What fits, above the composer. The focus stays in the text; `active` is what Enter takes. */
export function CompletionList({ id, kind, choices, active, onActive, onChoose }: CompletionListProps) {
  const { t } = useTranslation('claude');
  const current = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change of the active one that scrolls
  useEffect(() => current.current?.scrollIntoView?.({ block: 'nearest' }), [active]);
  return (
    <div
      id={id}
      role="listbox"
      aria-label={t(kind === 'command' ? 'composer.commands' : 'composer.files')}
      className="absolute inset-x-0 bottom-full z-20 mb-1 max-h-64 animate-appear overflow-x-hidden overflow-y-auto rounded-md border border-line bg-raised p-1 shadow-float"
    >
      {choices.map((choice, index) => (
        <div
          key={choice.insert}
          id={`${id}-${index}`}
          ref={index === active ? current : null}
          role="option"
          aria-selected={index === active}
          tabIndex={-1}
          onMouseMove={() => onActive(index)}
          // Before the text loses the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(index);
          }}
          className={classes('flex h-7 items-center gap-2 rounded-sm px-2', index === active && 'bg-selected')}
        >
          <Icon of={kind === 'command' ? SlashSquare : choice.isFolder ? Folder : FileText} size={14} className="text-faint" />
          <span className="shrink-0 truncate font-mono text-[12px] max-w-[70%]">{choice.label}</span>
          {choice.hint !== '' && (
            <span className="max-w-[40%] shrink-0 truncate font-mono text-11 text-faint">{choice.hint}</span>
          )}
          <span className="min-w-0 flex-1 truncate text-11 text-faint">{choice.description}</span>
        </div>
      ))}
    </div>
  );
}
