import { afterEach, expect, it } from 'vitest';
import { NO_SEQ, RunId } from '../../src-shared/ids.ts';
import { OutputQuota } from './output-quota.ts';

const [oldest, middle, newest] = ['0', '1', '2'].map((digit) => RunId.parse(`01890a5d-ac96-774b-bcce-00000000000${digit}`));
const USED = new Map([oldest, middle, newest].map((runId, index) => [runId, index]));

let quota: OutputQuota | null = null;
afterEach(() => quota?.stop());

/** What is left of the sessions' output under these quotas, in bytes. */
async function leftOf(sizes: ReadonlyMap<RunId, number>, sessionBytes: number, totalBytes: number) {
  const left = new Map(sizes);
  quota = new OutputQuota({
    store: {
      outputBytes: async () => new Map(sizes),
      compactOutput: async (runId, keepBytes) => {
        left.set(runId, keepBytes);
        return { freedBytes: 0, throughSeq: NO_SEQ };
      },
    },
    quotas: () => ({ sessionBytes, totalBytes }),
    activityOf: (runId) => USED.get(runId) ?? 0,
    onProblem: (_message, error) => {
      throw error;
    },
  });
  await quota.run();
  return [oldest, middle, newest].map((runId) => left.get(runId as RunId));
}

const sizes = new Map([oldest, middle, newest].map((runId) => [runId as RunId, 100]));

it('[seq-9] each session keeps what fits its own quota', async () => {
  expect(await leftOf(sizes, 60, 1_000)).toEqual([60, 60, 60]);
  expect(await leftOf(sizes, 100, 1_000)).toEqual([100, 100, 100]);
});

it('[seq-9] where all of them are too much, the sessions that were used least lately lose theirs first', async () => {
  expect(await leftOf(sizes, 100, 250)).toEqual([50, 100, 100]);
  expect(await leftOf(sizes, 80, 100)).toEqual([0, 20, 80]);
});
