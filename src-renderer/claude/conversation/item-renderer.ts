import { type ComponentType, createContext, useContext } from 'react';
import type { ShownItem } from './rows.ts';

/**
 * How an item is drawn, for what is nested in items: a subagent's calls are drawn like those of the conversation. Handed down
 * instead of imported, since each would import the other.
 */
const Context = createContext<ComponentType<{ item: ShownItem }> | null>(null);
export const ItemRendererProvider = Context.Provider;

export function useItemRenderer(): ComponentType<{ item: ShownItem }> {
  const renderer = useContext(Context);
  if (renderer === null) throw new Error('a nested item is drawn outside of a conversation');
  return renderer;
}
