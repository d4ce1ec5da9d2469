import { expect, it } from 'vitest';
import { type Chance, fuzz, type Look } from './fuzz.ts';

/** What cases leave behind, by the first number that each drew. */
function leftBehind(isBad: (drawn: ReadonlySet<number>) => boolean) {
  let drawn = new Set<number>();
  const one = (chance: Chance) => void drawn.add(chance.below(2 ** 32));
  const look: Look = {
    check: async () => {
      if (isBad(drawn)) throw new Error('it is otherwise');
    },
    renew: async () => {
      drawn = new Set();
    },
  };
  return { one, look };
}

async function drawnBy(count: number): Promise<number[]> {
  const drawn: number[] = [];
  await fuzz(count, (chance) => void drawn.push(chance.below(2 ** 32)));
  return drawn;
}

it('traces what is noticed after many cases to the one that did it', async () => {
  const culprit = (await drawnBy(1_000))[736];
  const { one, look } = leftBehind((drawn) => culprit !== undefined && drawn.has(culprit));
  await expect(fuzz(1_000, one, look)).rejects.toThrow('--seed 737: it is otherwise');
});

it('names as few cases as it takes where no single one did it', async () => {
  const drawn = await drawnBy(500);
  const { one, look } = leftBehind((some) => [249, 250].every((at) => some.has(drawn[at] ?? -1)));
  await expect(fuzz(500, one, look)).rejects.toThrow('--seed 1 --count 500: it is otherwise');
});
