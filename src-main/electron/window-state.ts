import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';

const Bounds = z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() });
export type Bounds = z.infer<typeof Bounds>;

const WindowState = z.object({
  /** Names the window for good: its client and with it its layout. */
  id: z.uuid(),
  /** As it is when neither maximised nor full-screen; null: wherever the system puts it. */
  bounds: z.nullable(Bounds),
  isMaximized: z.boolean(),
  isFullScreen: z.boolean(),
});
export type WindowState = z.infer<typeof WindowState>;

const SavedWindows = z.object({
  /** Those that were open at last; when all were closed, the last one. */
  windows: z.array(WindowState).check(z.maxLength(32)),
  /** The user has been told that Baton goes on without a window. */
  toldAboutTray: z.boolean(),
});
export type SavedWindows = z.infer<typeof SavedWindows>;

const NOTHING_SAVED: SavedWindows = { windows: [], toldAboutTray: false };

/** What cannot be read is not worth more than a window in its usual place. */
export async function readWindows(path: string): Promise<SavedWindows> {
  try {
    return SavedWindows.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return NOTHING_SAVED;
  }
}

export async function saveWindows(path: string, saved: SavedWindows): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
}

export const DEFAULT_SIZE = { width: 1280, height: 820 } as const;
export const MIN_SIZE = { width: 400, height: 300 } as const;
/** So much of a window must lie on a display that it can be seen and dragged. */
const REACHABLE = { width: 120, height: 60 } as const;

/** Where a window may open: where it was, if that can still be reached; else centred, no larger than the display. */
export function placeOn(
  bounds: Bounds | null,
  workAreas: readonly Bounds[],
): Partial<Bounds> & { width: number; height: number } {
  const wanted = bounds ?? DEFAULT_SIZE;
  const size = { width: Math.max(wanted.width, MIN_SIZE.width), height: Math.max(wanted.height, MIN_SIZE.height) };
  if (bounds !== null && workAreas.some((area) => overlaps(bounds, area))) return { x: bounds.x, y: bounds.y, ...size };
  const first = workAreas[0];
  return first ? { width: Math.min(size.width, first.width), height: Math.min(size.height, first.height) } : size;
}

function overlaps(a: Bounds, b: Bounds): boolean {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  // The title bar is on top: a window that begins above the display cannot be dragged back.
  return width >= REACHABLE.width && height >= REACHABLE.height && a.y >= b.y - 10;
}
