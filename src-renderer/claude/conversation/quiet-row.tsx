import { Braces } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QuietItem } from '../../../src-shared/conversation/conversation-items.ts';
import { Icon } from '../../ui/icon.tsx';
import { describeFailure } from '../../ui/toasts.tsx';
import { useConversation } from '../conversation-context.ts';
import { Code } from '../markdown/code-block.tsx';
import { FoldLine } from '../tools/tool-row.tsx';

/** Book-keeping, shown only when everything is: read from the log when it is unfolded. */
export function QuietRow({ item }: { item: QuietItem }) {
  const key = `quiet-${item.key}`;
  // "Everything unfolded" would fetch hundreds of events at once: these are unfolded one by one.
  const [isOpen, setOpen] = useState(false);
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={() => setOpen(!isOpen)} controls={key}>
        <Icon of={Braces} size={14} className="text-faint" />
        <span className="min-w-0 flex-1 truncate font-mono text-11 text-faint">{item.label}</span>
      </FoldLine>
      {isOpen && <Event id={key} seq={item.seq} label={item.label} />}
    </div>
  );
}

function Event({ id, seq, label }: { id: string; seq: number; label: string }) {
  const { t } = useTranslation('claude');
  const { readEvent } = useConversation();
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    readEvent(seq).then(
      (payload) => isCurrent && setText(JSON.stringify(payload, null, 2) ?? ''),
      (error: unknown) => isCurrent && setText(describeFailure(error)),
    );
    return () => {
      isCurrent = false;
    };
  }, [seq, readEvent]);
  return (
    <div id={id} className="mt-1 mb-2 ml-6 max-h-90 overflow-auto rounded-md border border-line bg-sunken pt-2">
      {text === null ? (
        <p className="px-3 pb-2 text-faint">{t('loading')}</p>
      ) : (
        <Code code={text} language="json" label={t('raw.label', { label })} />
      )}
    </div>
  );
}
