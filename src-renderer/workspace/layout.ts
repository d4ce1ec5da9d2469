import type { SerializedDockview } from 'dockview-react';
import * as z from 'zod/mini';
import { RunId } from '../../src-shared/ids.ts';
import { DEFAULT_PREFERENCES, Preferences } from '../preferences.ts';

/**
 * A window's arrangement as it is stored for its client. The engine keeps it unread, so everything is checked here when it comes
 * back: a layout that cannot be read costs the arrangement, never the window.
 */
export const LAYOUT_VERSION = 1;

/** The pages that live in panes like sessions do. */
export const PageName = z.enum(['settings', 'shortcuts', 'search', 'machines']);
export type PageName = z.infer<typeof PageName>;

export const PaneContent = z.discriminatedUnion('is', [
  z.object({ is: z.literal('session'), runId: RunId }),
  z.object({ is: z.literal('page'), page: PageName }),
]);
export type PaneContent = z.infer<typeof PaneContent>;

/** One pane a session and one a page: the pane's id follows from what is in it. */
export function paneIdOf(content: PaneContent): string {
  return content.is === 'session' ? `session:${content.runId}` : `page:${content.page}`;
}

const Group = z.object({
  id: z.string(),
  views: z.array(z.string()),
  activeView: z.optional(z.string()),
});

interface GridNode {
  type: 'branch' | 'leaf';
  data: GridNode[] | z.infer<typeof Group>;
  size?: number | undefined;
}
const GridNode: z.ZodMiniType<GridNode> = z.lazy(() =>
  z.union([
    z.object({ type: z.literal('branch'), size: z.optional(z.number()), data: z.array(GridNode) }),
    z.object({ type: z.literal('leaf'), size: z.optional(z.number()), data: Group }),
  ]),
);

const Dock = z.object({
  grid: z.object({ root: GridNode, width: z.number(), height: z.number(), orientation: z.enum(['HORIZONTAL', 'VERTICAL']) }),
  panels: z.record(
    z.string(),
    z.object({ id: z.string(), contentComponent: z.literal('pane'), title: z.optional(z.string()), params: PaneContent }),
  ),
  activeGroup: z.optional(z.string()),
});

const Layout = z.object({
  version: z.literal(LAYOUT_VERSION),
  dock: z.nullable(Dock),
  /** Panes closed last, newest first. */
  closed: z.array(PaneContent).check(z.maxLength(20)),
  preferences: Preferences,
});

export interface SavedLayout {
  readonly version: typeof LAYOUT_VERSION;
  readonly dock: SerializedDockview | null;
  readonly closed: readonly PaneContent[];
  readonly preferences: Preferences;
}

export const FRESH_LAYOUT: SavedLayout = { version: LAYOUT_VERSION, dock: null, closed: [], preferences: DEFAULT_PREFERENCES };

/** `problem` says in one sentence why a stored layout was not taken; null when it was, or when there was none. */
export function readLayout(stored: unknown): { readonly layout: SavedLayout; readonly problem: string | null } {
  if (stored === null || stored === undefined) return { layout: FRESH_LAYOUT, problem: null };
  const read = Layout.safeParse(stored);
  if (!read.success) return { layout: FRESH_LAYOUT, problem: describeProblem(stored, read.error) };
  const { dock, ...rest } = read.data;
  const missing = dock === null ? null : missingPanel(dock);
  if (missing !== null)
    return { layout: { ...rest, dock: null }, problem: `It names a pane that it does not describe (${missing}).` };
  // Dockview's types are stricter in form (an enum for the orientation), not in content.
  return { layout: { ...rest, dock: dock as SerializedDockview | null }, problem: null };
}

function describeProblem(stored: unknown, error: z.core.$ZodError): string {
  const version = typeof stored === 'object' && stored !== null && 'version' in stored ? stored.version : undefined;
  if (typeof version === 'number' && version > LAYOUT_VERSION) return 'It was written by a newer version of Baton.';
  const issue = error.issues[0];
  return `It is damaged${issue && issue.path.length > 0 ? ` at ${issue.path.join('.')}` : ''}.`;
}

function missingPanel(dock: z.infer<typeof Dock>): string | null {
  const views = (node: GridNode): string[] => (Array.isArray(node.data) ? node.data.flatMap(views) : node.data.views);
  return views(dock.grid.root).find((view) => !Object.hasOwn(dock.panels, view)) ?? null;
}
