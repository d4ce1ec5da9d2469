import * as z from 'zod/mini';
import { PermissionMode } from '../src-shared/session.ts';

/** How far the sidebar can be dragged, in px. */
export const SIDEBAR_WIDTH = { least: 180, usual: 240, most: 480 } as const;
/** How many of the recent ones are kept. */
export const RECENT_LIMIT = 12;

const recents = z.array(z.string().check(z.maxLength(4096))).check(z.maxLength(RECENT_LIMIT));

/** What this window remembers beside its panes. Kept with the layout, so it is per client and comes back after a restart. */
export const Preferences = z.object({
  sidebar: z.object({
    width: z.number().check(z.gte(SIDEBAR_WIDTH.least), z.lte(SIDEBAR_WIDTH.most)),
    isHidden: z.boolean(),
    groupBy: z.enum(['state', 'project', 'machine']),
    /** Names of the groups whose rows are hidden. */
    folded: z.array(z.string().check(z.maxLength(4096))).check(z.maxLength(500)),
  }),
  recentCommands: recents,
  recentFolders: recents,
  /** What the last new Claude session was started with. */
  newClaude: z.object({ cwd: z.string(), model: z.string(), permissionMode: PermissionMode }),
  /** What closing the pane of a session that still works does. */
  closingPane: z.enum(['ask', 'keep', 'end']),
});
export type Preferences = z.infer<typeof Preferences>;

export const DEFAULT_PREFERENCES: Preferences = {
  sidebar: { width: SIDEBAR_WIDTH.usual, isHidden: false, groupBy: 'state', folded: ['ended'] },
  recentCommands: [],
  recentFolders: [],
  newClaude: { cwd: '', model: '', permissionMode: 'default' },
  closingPane: 'ask',
};

/** `item` first, without its earlier mention, at most RECENT_LIMIT. */
export function withRecent(items: readonly string[], item: string): string[] {
  return [item, ...items.filter((other) => other !== item)].slice(0, RECENT_LIMIT);
}
