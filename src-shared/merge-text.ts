import { editsBetween } from './edit-script.ts';

/**
 * Texts that several write at a time, merged by what each of them changed. What one writes is one piece, from the first place that is
 * another to the last; what others have written meanwhile may be many. Positions count UTF-16 units.
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

/** A difference in more pieces than take so many characters is taken as one. */
const MAX_EDITS = 256;

/** The same as `changeBetween`, in as many pieces as there are, in order. */
function changesBetween(before: string, after: string): readonly Change[] {
  const whole = changeBetween(before, after);
  if (whole === null) return [];
  const gone = [...before.slice(whole.at, whole.at + whole.removed)];
  const come = [...whole.inserted];
  const edits = gone.length === 0 || come.length === 0 ? null : editsBetween(gone, come, MAX_EDITS);
  if (edits === null) return [whole];
  const length = (characters: readonly string[]) => characters.join('').length;
  return edits.map(({ at, removed, from, to }) => ({
    at: whole.at + length(gone.slice(0, at)),
    removed: length(gone.slice(at, at + removed)),
    inserted: come.slice(from, to).join(''),
  }));
}

/**
 * `mine`, a change of `base`, as changes of what others have made of `base`; the last in the text first. Nothing that either wrote is
 * lost: what one removed stays removed, what both wrote stands side by side, and what one of them was told twice stands once.
 */
export function changesOnTop(mine: Change, base: string, there: string): readonly Change[] {
  const whole = changeBetween(base, there);
  if (whole === null) return [mine];
  const { at, removed, inserted } = mine;
  const isRepeated = inserted !== '' && whole.at === at && whole.removed === removed && whole.inserted.startsWith(inserted);
  if (isRepeated) return [];
  const theirs = changesBetween(base, there);
  const place = placeOnTop(at, theirs);
  const removals = leftOf(at, at + removed, theirs).map(([from, to]) => ({
    at: placeOnTop(from, theirs),
    removed: to - from,
    inserted: '',
  }));
  return [...removals.reverse(), ...(inserted === '' ? [] : [{ at: place, removed: 0, inserted }])];
}

/** Where a place of the text is after changes of it, which are in order. */
function placeOnTop(place: number, changes: readonly Change[]): number {
  let on = place;
  for (const change of changes) on += placeAfter(place, change) - place;
  return on;
}

/** What is there from `start` to `end` and was not removed by `changes`, in pieces between which nothing was inserted. */
function leftOf(start: number, end: number, changes: readonly Change[]): readonly (readonly [from: number, to: number])[] {
  const left: (readonly [number, number])[] = [];
  let from = start;
  for (const { at, removed } of changes) {
    if (at >= end) break;
    if (at > from) left.push([from, at]);
    from = Math.max(from, at + removed);
  }
  if (from < end) left.push([from, end]);
  return left;
}

/** What `mine` and `theirs` have both made of `base`. */
export function mergeTexts(base: string, mine: string, theirs: string): string {
  const change = changeBetween(base, mine);
  return change === null ? theirs : changesOnTop(change, base, theirs).reduce(applyChange, theirs);
}
