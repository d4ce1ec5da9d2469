import { ClientId } from '../../src-shared/ids.ts';

/** The tab's place among the tabs of this page, kept for its reload. */
const PLACE_KEY = 'baton.place';
/** A page that is being loaded again may ask before the one before it has let go. */
const RELOAD_MS = 1_000;

/**
 * Each open tab is a client of its own. The first tab is always the same one, so that its layout and its sign-in find it again;
 * so is the second, as long as the first is open. A tab holds its place by a lock, which it loses when it is closed.
 */
export async function tabClientId(): Promise<ClientId> {
  const before = sessionStorage.getItem(PLACE_KEY);
  // A tab that was made as a copy has the place of another written down, and does not get it.
  if (before !== null && (await take(before, { signal: AbortSignal.timeout(RELOAD_MS) }))) return idOf(before);
  for (let number = 1; ; number++) {
    const place = String(number);
    if (!(await take(place, { ifAvailable: true }))) continue;
    sessionStorage.setItem(PLACE_KEY, place);
    return idOf(place);
  }
}

/** Takes a place for as long as this page lives; false: another tab has it. */
function take(place: string, options: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`baton.tab.${place}`, options, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<never>(() => {});
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'TimeoutError') resolve(false);
        else reject(error);
      });
  });
}

function idOf(place: string): ClientId {
  const key = `baton.clientId.tab-${place}`;
  const stored = ClientId.safeParse(localStorage.getItem(key));
  if (stored.success) return stored.data;
  const made = ClientId.parse(crypto.randomUUID());
  localStorage.setItem(key, made);
  return made;
}
