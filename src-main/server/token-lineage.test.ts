import { expect, it } from 'vitest';
import { ClientId } from '../../src-shared/ids.ts';
import { isOver, type Lineage, newLineage, presentToken, showToken, withToken } from './token-lineage.ts';

const clientId = ClientId.parse('00000000-0000-4000-8000-00000000000c');
const HOUR = 3_600_000;

/** One lineage, its open wire, and every token it ever gave: as the registry of tokens drives it. */
interface World {
  readonly lineage: Lineage;
  readonly open: number | null;
  readonly made: readonly number[];
  readonly isRevoked: boolean;
  readonly now: number;
}
const BEGIN: World = {
  lineage: withToken(newLineage(clientId, 0), 'h1', HOUR, 0),
  open: null,
  made: [1],
  isRevoked: false,
  now: 0,
};

type Step = { readonly does: 'present'; readonly number: number } | { readonly does: 'renew' } | { readonly does: 'close' };

function stepsOf({ made, open, isRevoked }: World): Step[] {
  if (isRevoked) return [];
  const present = made.map((number) => ({ does: 'present' as const, number }));
  return open === null ? present : [...present, { does: 'renew' }, { does: 'close' }];
}

function after(world: World, step: Step): { readonly world: World; readonly verdict: string | null } {
  const now = world.now + 1;
  const minted = (lineage: Lineage) => ({
    lineage: withToken(lineage, `h${lineage.next}`, now + HOUR, now),
    made: [...world.made, lineage.next],
  });
  if (step.does === 'close') return { world: { ...world, now, open: null }, verdict: null };
  if (step.does === 'renew') return { world: { ...world, ...minted(world.lineage), now }, verdict: null };
  const { verdict, lineage, number } = presentToken(world.lineage, `h${step.number}`, now, world.open);
  if (verdict === 'reused') return { world: { ...world, now, open: null, isRevoked: true }, verdict };
  if (verdict !== 'accepted') return { world: { ...world, now }, verdict };
  // A wire was opened, the one before it closed; its welcome brings the next token.
  return { world: { ...world, ...minted(lineage), now, open: number }, verdict };
}

/** Every world that can be reached in so many steps. */
function explore(depth: number, visit: (before: World, step: Step, after: World, verdict: string | null) => void): number {
  let worlds = [BEGIN];
  const seen = new Set<string>();
  for (let level = 0; level < depth; level++) {
    const next: World[] = [];
    for (const before of worlds) {
      for (const step of stepsOf(before)) {
        const { world, verdict } = after(before, step);
        visit(before, step, world, verdict);
        const { lineage, open, made, isRevoked } = world;
        const key = JSON.stringify([lineage.used, lineage.tokens.map(({ number }) => number), open, made.length, isRevoked]);
        if (!seen.has(key)) next.push(world);
        seen.add(key);
      }
    }
    worlds = next;
  }
  return seen.size;
}

it('[token-2] [token-3] [token-4] holds in every world of twelve steps', () => {
  const reached = explore(12, (before, step, world, verdict) => {
    if (step.does !== 'present') return;
    const { used, tokens } = before.lineage;
    const isKnown = tokens.some(({ number }) => number === step.number);
    if (!isKnown) expect(verdict).toBe('expired');
    else if (step.number < used) expect(verdict).toBe('reused');
    // Somebody was faster, and is still there: refused, and nothing is lost by it.
    else if (step.number === before.open) {
      expect(verdict).toBe('taken');
      expect(world).toMatchObject({ lineage: before.lineage, open: before.open, isRevoked: false });
    } else expect(verdict).toBe('accepted');
    if (verdict === 'accepted') {
      // The newest that opened a wire works on until a successor has; everything older is spent.
      expect(world.lineage.used).toBe(step.number);
      expect(world.open).toBe(step.number);
      const again = presentToken(world.lineage, `h${step.number}`, world.now, null);
      expect(again.verdict).toBe('accepted');
      for (const { number, hash } of world.lineage.tokens) {
        if (number < step.number) expect(presentToken(world.lineage, hash, world.now, null).verdict).toBe('reused');
      }
    }
  });
  expect(reached).toBeGreaterThan(500);
});

it('[token-2] an honest client, whatever gets lost, always comes back with the newest token it has heard of', () => {
  // Each step: whether the welcome of the wire that was opened reached the client.
  for (let lost = 0; lost < 2 ** 10; lost++) {
    let world = BEGIN;
    let mine = 1;
    for (let bit = 0; bit < 10; bit++) {
      const opened = after({ ...world, open: null }, { does: 'present', number: mine });
      expect(opened.verdict).toBe('accepted');
      world = opened.world;
      if ((lost & (1 << bit)) === 0) mine = world.made.at(-1) ?? 0;
    }
  }
});

it('[token-5] an expired token opens nothing, and accuses nobody', () => {
  const lineage = withToken(newLineage(clientId, 0), 'first', 1_000, 0);
  expect(presentToken(lineage, 'first', 999, null).verdict).toBe('accepted');
  expect(presentToken(lineage, 'first', 1_000, null).verdict).toBe('expired');
  expect(showToken(lineage, 'first', 1_000)).toBe('expired');
  expect(isOver(lineage, 999)).toBe(false);
  expect(isOver(lineage, 1_000)).toBe(true);
});

it('[token-4] a request that was on its way while its client came back proves nothing; a later one does', () => {
  const first = withToken(newLineage(clientId, 0), 'first', HOUR, 0);
  const opened = presentToken(first, 'first', 10, null).lineage;
  const second = withToken(opened, 'second', HOUR, 10);
  expect(showToken(second, 'first', 20)).toBe('accepted');
  const back = presentToken(second, 'second', 1_000, null).lineage;
  expect(showToken(back, 'first', 1_000 + 29_000)).toBe('expired');
  expect(showToken(back, 'first', 1_000 + 31_000)).toBe('reused');
  expect(presentToken(back, 'first', 1_001, null).verdict).toBe('reused');
});

it('keeps a bounded number of tokens, however often welcomes get lost', () => {
  let lineage = withToken(newLineage(clientId, 0), 'h1', HOUR, 0);
  for (let number = 2; number < 1_000; number++) {
    lineage = presentToken(lineage, number % 3 === 0 ? `h${number - 1}` : (lineage.tokens.at(-1)?.hash ?? ''), 1, null).lineage;
    lineage = withToken(lineage, `h${number}`, HOUR, 1);
    expect(lineage.tokens.length).toBeLessThanOrEqual(64 + 1 + 4);
  }
});
