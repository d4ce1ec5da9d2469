import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RunSessionClient } from '../../src-shared/client.ts';
import type { HttpFetch } from '../../src-shared/http-fetch.ts';
import type { RunId } from '../../src-shared/ids.ts';
import { NetworkRoad, type NetworkRoadState } from '../../src-shared/network-road.ts';
import { ECHO, newClientId, newInputId, pty, type Watcher, watch } from '../engine/engine.fixture.ts';
import { randomOf } from '../engine/sim.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

const LINES = 10_000;

let here: ServerGround;
let flood: RunId;
let talk: RunId;
beforeEach(async () => {
  here = await serverGround();
  const count = `read go; i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "line $i"; done`;
  flood = await here.create(pty('/bin/sh', ['-c', count]));
  talk = await here.create(ECHO);
});
afterEach(() => here.dispose());

interface Roads {
  readonly openSocket: (url: string, protocols: string[]) => WebSocket;
  readonly fetch: HttpFetch;
}

/** The client of a browser, which has logged in by a code and comes back by itself. */
async function browser({ openSocket, fetch }: Roads) {
  const clientId = newClientId();
  let token = (await here.tokens.login(here.tokens.newCode().code, clientId))?.token ?? null;
  const states: NetworkRoadState[] = [];
  const onState = (state: NetworkRoadState) => void states.push(state);
  const road = new NetworkRoad({ origin: here.server.url, openSocket, fetch, token: () => token, onState });
  const client = new RunSessionClient({
    clientId,
    kind: 'browser',
    name: 'tests',
    connect: road.connect,
    onReconnectToken: (next) => {
      token = next.token;
    },
  });
  return { client, states };
}

const newPrompts = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'prompt' as const,
    inputId: newInputId(),
    content: { text: `prompt ${index}`, images: [] },
  }));
const queuedIn = ({ events }: Watcher) => events.filter(({ channel, type }) => channel === 'run:prompt' && type === 'queued');

/** Whatever happened on the way: each event once, in order, none missing. */
function expectWhole(terminal: Watcher, conversation: Watcher, prompts: ReturnType<typeof newPrompts>): void {
  for (const { events } of [terminal, conversation]) {
    const first = events[0]?.seq ?? 0;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => first + index));
  }
  const queued = queuedIn(conversation).map(({ payload }) => (payload as { inputId: string }).inputId);
  expect(queued).toEqual(prompts.map(({ inputId }) => inputId));
  // One that fell too far behind started over from a screen: it goes on where that ends.
  const lines = terminal.text.match(/line (\d+)/g) ?? [];
  const numbers = lines.map((line) => Number(line.slice(5)));
  const from = numbers[0] ?? 0;
  expect(numbers).toEqual(numbers.map((_, index) => from + index));
  expect(numbers.at(-1)).toBe(LINES);
}

it('[wire-8] a hundred losses of a WebSocket under load: nothing lost, nothing twice', async () => {
  const sockets: WebSocket[] = [];
  const { client } = await browser({
    openSocket: (url, protocols) => {
      const socket = new WebSocket(url, protocols, { perMessageDeflate: false });
      socket.binaryType = 'arraybuffer';
      sockets.push(socket);
      return socket;
    },
    fetch,
  });
  const terminal = watch(client, flood, { after: null });
  const conversation = watch(client, talk, { after: null });
  await terminal.until(() => terminal.starts.length > 0);
  terminal.attachment?.keys(Buffer.from('\n'));
  const prompts = newPrompts(100);
  const answers: Promise<unknown>[] = [];
  for (const prompt of prompts) {
    await client.ready();
    answers.push(client.send(talk, prompt));
    sockets.at(-1)?.terminate();
    await new Promise<void>((resolve) => {
      const release = client.onConnection(({ is }) => {
        if (is !== 'lost') return;
        release();
        resolve();
      });
    });
  }
  await Promise.all(answers);
  await terminal.until(() => terminal.state?.status === 'ended');
  await conversation.until(() => queuedIn(conversation).length >= prompts.length);
  expect(sockets.length).toBeGreaterThan(100);
  expectWhole(terminal, conversation, prompts);
  client.stop();
}, 120_000);

it('[wire-8] [wire-3] polling: requests and answers that get lost or come twice lose nothing and do nothing twice', async () => {
  const random = randomOf(7);
  let lost = 0;
  const { client, states } = await browser({
    openSocket: () => {
      throw new Error('something on the way knows no WebSockets');
    },
    fetch: async (url, request) => {
      const isFrames = url.includes('/frames');
      if (isFrames && random() < 0.1) {
        lost += 1;
        throw new TypeError('the request got lost');
      }
      const answer = await fetch(url, request);
      if (!isFrames || random() > 0.1) return answer;
      lost += 1;
      await answer.arrayBuffer();
      // It has come, and comes once more.
      if (request.method === 'POST') await (await fetch(url, request)).arrayBuffer();
      throw new TypeError('the answer got lost');
    },
  });
  const terminal = watch(client, flood, { after: null });
  const conversation = watch(client, talk, { after: null });
  await terminal.until(() => terminal.starts.length > 0);
  terminal.attachment?.keys(Buffer.from('\n'));
  const prompts = newPrompts(40);
  for (const prompt of prompts) await client.send(talk, prompt);
  await terminal.until(() => terminal.state?.status === 'ended');
  await conversation.until(() => queuedIn(conversation).length >= prompts.length);
  expect(states).toContain('polling');
  expect(here.engine.wires).toMatchObject({ websocket: 0, polling: 1 });
  expect(lost).toBeGreaterThan(10);
  expectWhole(terminal, conversation, prompts);
  client.stop();
  await expect.poll(() => here.engine.wires.polling).toBe(0);
}, 120_000);
