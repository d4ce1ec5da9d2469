import { Eye } from 'lucide-react';
import { type Ref, useImperativeHandle, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { runCommand } from '../../commands.ts';
import { Button } from '../../ui/button.tsx';
import { Icon } from '../../ui/icon.tsx';
import type { ComposerHandle } from './composer.tsx';

/** Stands where one would write, while nothing that is written would be taken. */
export function LooksOnly({ why, ref }: { why: string; ref: Ref<ComposerHandle> }) {
  const { t } = useTranslation('machines');
  const root = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => ({
    focus: () => root.current?.focus(),
    hasFocus: () => false,
    isCompleting: () => false,
    typedAt: () => 0,
  }));
  return (
    <div
      ref={root}
      tabIndex={-1}
      data-region-focus
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-md border border-line bg-sunken px-3 py-2.5"
    >
      <Icon of={Eye} className="text-dim" />
      <p className="min-w-50 flex-1 text-dim break-words">{why}</p>
      <Button size="sm" onClick={() => runCommand('machines.show')}>
        {t('looksOnly.show')}
      </Button>
    </div>
  );
}
