/**
 * Texts that several write at a time, merged by what each of them changed. A difference is one piece: from the first place that is
 * another to the last. Positions count UTF-16 units.
 */
export interface Change {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** What makes `after` of `before`; null where they are the same. */
export function changeBetween(before: string, after: string): Change | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  if (isInsidePair(before, start) || isInsidePair(after, start)) start--;
  let end = 0;
  const most = shorter - start;
  while (end < most && before.charCodeAt(before.length - end - 1) === after.charCodeAt(after.length - end - 1)) end++;
  if (isInsidePair(before, before.length - end) || isInsidePair(after, after.length - end)) end--;
  return { at: start, removed: before.length - end - start, inserted: after.slice(start, after.length - end) };
}

/** Half of a surrogate pair is no character: a pair must not be torn apart. */
function isInsidePair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}

export function applyChange(text: string, { at, removed, inserted }: Change): string {
  return text.slice(0, at) + inserted + text.slice(at + removed);
}

/** Where a place of the text is after `change`; what is inserted exactly there comes before it, or, where it `stays`, behind it. */
export function placeAfter(place: number, change: Change | null, stays = false): number {
  if (change === null || place < change.at || (stays && place === change.at)) return place;
  const end = change.at + change.removed;
  return place < end ? change.at + change.inserted.length : place + change.inserted.length - change.removed;
}

/**
 * `mine` as changes of the text that `theirs` has made of the same one, the last in the text first. Nothing that either wrote is lost:
 * what one removed stays removed, what both wrote stands side by side, and what one of them was told twice stands once.
 */
export function changesOnTop(mine: Change, theirs: Change | null): readonly Change[] {
  if (theirs === null) return [mine];
  const { at, removed, inserted } = mine;
  const isRepeated = inserted !== '' && theirs.at === at && theirs.removed === removed && theirs.inserted.startsWith(inserted);
  if (isRepeated) return [];
  const end = at + removed;
  const theirEnd = theirs.at + theirs.removed;
  // Of what is to be removed, what lies before and behind what they have removed is still there.
  const before = Math.max(0, Math.min(end, theirs.at) - at);
  const behind = Math.max(0, end - Math.max(at, theirEnd));
  const place = placeAfter(at, theirs);
  if (before === 0) return [{ at: place, removed: behind, inserted }];
  return [
    { at: placeAfter(Math.max(at, theirEnd), theirs), removed: behind, inserted: '' },
    { at: place, removed: before, inserted },
  ];
}

/** What `mine` and `theirs` have both made of `base`. */
export function mergeTexts(base: string, mine: string, theirs: string): string {
  const change = changeBetween(base, mine);
  return change === null ? theirs : changesOnTop(change, changeBetween(base, theirs)).reduce(applyChange, theirs);
}
