/** One piece in which two lists differ: `removed` items of the first from `at` on, in place of which stand those of the second from `from` to `to`. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The fewest pieces of one list that have to be removed or inserted to make the other, in order (Myers' algorithm); null where that
 * takes more than `maxEdits` items.
 */
export function editsBetween(before: readonly string[], after: readonly string[], maxEdits: number): readonly Edit[] | null {
  const rounds = roundsOf(before, after, maxEdits);
  if (rounds === null) return null;
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let round = rounds.length - 1; round > 0; round--) {
    const reached = rounds[round - 1] as ReadonlyMap<number, number>;
    const diagonal = cameFrom(reached, x - y, round);
    const fromX = reached.get(diagonal) as number;
    const fromY = fromX - diagonal;
    const isInserted = diagonal > x - y;
    // Behind the edit come items that both have.
    joinFront(edits, { at: fromX, removed: isInserted ? 0 : 1, from: fromY, to: isInserted ? fromY + 1 : fromY });
    [x, y] = [fromX, fromY];
  }
  return edits;
}

/** How far along each diagonal (place in `before` less place in `after`) so many edits lead, for each number of edits. */
function roundsOf(
  before: readonly string[],
  after: readonly string[],
  maxEdits: number,
): readonly ReadonlyMap<number, number>[] | null {
  const rounds: Map<number, number>[] = [];
  for (let round = 0; round <= maxEdits; round++) {
    const reached = new Map<number, number>();
    const last = rounds.at(-1);
    rounds.push(reached);
    for (let diagonal = -round; diagonal <= round; diagonal += 2) {
      let x = 0;
      if (last !== undefined) {
        const from = cameFrom(last, diagonal, round);
        x = (last.get(from) as number) + (from < diagonal ? 1 : 0);
      }
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      reached.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return rounds;
    }
  }
  return null;
}

/** The diagonal from which one more edit leads furthest along this one. */
function cameFrom(reached: ReadonlyMap<number, number>, diagonal: number, round: number): number {
  const below = reached.get(diagonal - 1);
  const above = reached.get(diagonal + 1);
  const isInsertion = diagonal === -round || (diagonal !== round && (below ?? -1) < (above ?? -1));
  return isInsertion ? diagonal + 1 : diagonal - 1;
}

/** In front of the others; one with the first where nothing lies between them. */
function joinFront(edits: Edit[], edit: Edit): void {
  const [first] = edits;
  if (first === undefined || first.at !== edit.at + edit.removed || first.from !== edit.to) edits.unshift(edit);
  else edits[0] = { at: edit.at, removed: edit.removed + first.removed, from: edit.from, to: first.to };
}
