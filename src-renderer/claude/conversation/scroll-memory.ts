import * as z from 'zod/mini';

/** Where a reader was in each conversation: the row at the top, its place in the log, and how far it was scrolled. Survives the window. */
const Anchor = z.object({ key: z.string(), seq: z.int(), offsetPx: z.number() });
export type Anchor = z.infer<typeof Anchor>;

const Places = z.array(z.object({ runId: z.string(), anchor: Anchor }));
const STORAGE_KEY = 'baton.conversation-places';
/** The latest read ones are kept. */
const PLACES_LIMIT = 200;

function read(): z.infer<typeof Places> {
  const stored = localStorage.getItem(STORAGE_KEY);
  if (stored === null) return [];
  const places = Places.safeParse(parse(stored));
  return places.success ? places.data : [];
}

function parse(stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch {
    // Written by hand or cut off: the places are lost, nothing else.
    return null;
  }
}

/** null: at the end. */
export function savePlace(runId: string, anchor: Anchor | null): void {
  const others = read().filter((place) => place.runId !== runId);
  const places = anchor === null ? others : [{ runId, anchor }, ...others].slice(0, PLACES_LIMIT);
  localStorage.setItem(STORAGE_KEY, JSON.stringify(places));
}

export function savedPlace(runId: string): Anchor | null {
  return read().find((place) => place.runId === runId)?.anchor ?? null;
}
