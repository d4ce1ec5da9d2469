import { useTranslation } from 'react-i18next';
import type { Subagent } from '../../../src-shared/conversation/conversation-items.ts';
import { useItemRenderer } from './item-renderer.ts';
import { shownItems } from './rows.ts';

/** What a subagent did, nested under the call that started it. */
export function SubagentItems({ subagent }: { subagent: Subagent }) {
  const { t } = useTranslation('claude');
  const Item = useItemRenderer();
  const items = shownItems({ items: subagent.items, end: null }, false);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div
      role="group"
      aria-label={t('subagent.label', { name: subagent.description ?? subagent.agentType ?? '' })}
      className="space-y-2"
    >
      {items.map((item) => (item.kind === 'end' ? null : <Item key={item.key} item={item} />))}
    </div>
  );
}
