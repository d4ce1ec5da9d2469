import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Ground, ground, pty, watch } from './engine.fixture.ts';

let here: Ground;
beforeEach(async () => {
  here = await ground();
});
afterEach(() => here.dispose());

it('[pty-11] the first notice of a program and its newest reach every client, not each of a flood, and none again later', async () => {
  const script =
    'stty -echo; echo ready; while read -r word; do printf "\\033]777;notify;job;%s\\007told %s.\\n" $word $word; done';
  const runId = await here.create(pty('sh', ['-c', script]));
  const client = here.connect();
  const told: string[] = [];
  let look = () => {};
  client.onMessage((message) => {
    if (message.type !== 'session:notice') return;
    expect(message).toMatchObject({ runId, title: 'job' });
    told.push(message.body);
    look();
  });
  const seen = watch(client, runId);
  await seen.until(() => seen.text.includes('ready'));
  const words = Array.from({ length: 50 }, (_, number) => `n${number}`);
  for (const word of words) {
    seen.attachment?.keys(new TextEncoder().encode(`${word}\n`));
    await seen.until(() => seen.text.includes(`told ${word}.`));
  }
  await new Promise<void>((resolve) => {
    look = () => told.at(-1) === 'n49' && resolve();
    look();
  });
  expect(told[0]).toBe('n0');
  expect(told).toEqual(words.filter((word) => told.includes(word)));
  expect(told.length).toBeLessThan(words.length);

  const late = here.connect();
  late.onMessage((message) => expect(message.type).not.toBe('session:notice'));
  const seenLater = watch(late, runId, { after: null });
  await seenLater.until(() => seenLater.text.includes('told n49.'));
});
