import { expect, it } from 'vitest';
import { InputId, MachineId, RunId } from '../../../src-shared/ids.ts';
import type { SessionCommand } from '../../engine/session-commands.ts';
import type { OutboxRow } from '../../store/store.ts';
import { Outbox, type OutboxOptions, PERMISSION_WAITS_MS } from './outbox.ts';

const RUN = RunId.parse('00000000-0000-7000-8000-0000000000aa');
const HOST = MachineId.parse('00000000-0000-7000-8000-000000000001');
const inputId = (n: number) => InputId.parse(`00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
const prompt = (n: number): SessionCommand => ({
  kind: 'prompt',
  inputId: inputId(n),
  content: { text: 'hello', images: [] },
});
const target = { runId: RUN, machineId: HOST, epoch: 1, spec: { kind: 'echo' } } as unknown as ReturnType<
  OutboxOptions['target']
>;

interface Timer {
  readonly run: () => void;
  readonly delayMs: number;
}

async function open(rows: readonly OutboxRow[], putOutbox: OutboxOptions['store']['putOutbox'], nowMs: number) {
  const timers: Timer[] = [];
  const removed: string[] = [];
  const outbox = await Outbox.open({
    store: { listOutbox: async () => [...rows], putOutbox, removeOutbox: async (id) => void removed.push(id) },
    clock: {
      nowMs: () => nowMs,
      setTimer: (run, delayMs) => {
        timers.push({ run, delayMs });
        return () => {};
      },
      random: Math.random,
    },
    target: () => target,
    broadcast: () => {},
    onProblem: () => {},
  });
  return { outbox, timers, removed };
}

it('[outbox-1] what the disk does not take is refused, also for whoever sent it once more meanwhile', async () => {
  if (target === null) throw new Error('there is a target');
  let refuse = (_error: Error) => {};
  const refused = new Promise<void>((_resolve, reject) => {
    refuse = reject;
  });
  const { outbox } = await open([], () => refused, 1_000);
  const first = outbox.execute(target, prompt(1), 'client');
  const again = outbox.execute(target, prompt(1), 'client');
  refuse(new Error('the disk is full'));
  await expect(first).rejects.toThrow('the disk is full');
  expect(await again).toMatchObject({ ok: false, refusal: { code: 'failed' } });
  expect(outbox.list()).toEqual([]);
});

it('[outbox-4] an answer to a permission request waits ten minutes, also where the clock was set back by a day', async () => {
  const command = { kind: 'permission', inputId: inputId(2), requestId: 'a', decision: 'allow', reason: null };
  const day = 24 * 60 * 60_000;
  const row: OutboxRow = { inputId: inputId(2), runId: RUN, machineId: HOST, clientId: 'c', sinceMs: 10 * day, command };
  const { outbox, timers, removed } = await open([row], async () => {}, 9 * day);
  expect(outbox.list()).toHaveLength(1);
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([PERMISSION_WAITS_MS]);
  timers[0]?.run();
  expect([outbox.list(), removed]).toEqual([[], [row.inputId]]);
});
