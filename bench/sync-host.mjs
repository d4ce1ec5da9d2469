// The processes of sync.bench.mjs's fan-out: one that makes changes, and some with devices that see them. What each does is told
// over its channel to the benchmark. A change at the relay's side is a durable event in a session of a whole engine, which the
// product's own publisher sends; or a change of a shared document; or, where the relay alone is asked for, a batch that was sealed before.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openStore } from '../src-main/store/store.ts';
import { replication } from '../src-main/sync/logs/replication.ts';
import { seal } from '../src-main/sync/sync-context.ts';
import { sealReady } from '../src-shared/seal.ts';
import { NO_BATCH_HASH } from '../src-shared/sealed-batch.ts';
import { testWorkspace } from '../src-shared/sim/workspace.ts';
import { openEngine } from './engine-host.mjs';
import {
  Machine,
  nowMs,
  openBareReader,
  openDocument,
  openDocumentReader,
  openLightDocumentReader,
  openLightMachine,
  openMachine,
  openSocket,
  openYjsReader,
  Seen,
  stateOf,
  YjsClient,
} from './sync-device.mjs';

/** About what a state change of a session is. */
const CHANGE = { tool: 'Bash', path: 'src/part-17/module.ts', summary: 'ran the tests of this part' };
const TICK_MS = 1;

/** Rooms into which this process makes changes: each with the position of its last change, and a way to make the next. */
let rooms = [];
/** What this process's devices have seen. */
let devices = [];

const commands = {
  /** Keys and chains: for each room a host and so many devices. */
  async workspaces({ count, machines }) {
    const all = [];
    for (let room = 0; room < count; room++) {
      const made = await testWorkspace(...Array.from({ length: machines }, () => 'view'));
      all.push(made.map(({ machine, keys, entries }) => ({ machine, keys, entries })));
    }
    return all;
  },

  async write({ kind, url, workspaces, count, folder, bytes }) {
    const opened = {
      engine: () => engineRooms(url, workspaces, folder),
      documents: () => documentRooms(url, workspaces, folder),
      relay: () => Promise.all(workspaces.map(([keys]) => relayRoom(keys, url))),
      bare: () => Promise.all(numbers(count).map((room) => bareRoom(url, room, bytes))),
      'y-websocket': () => Promise.all(numbers(count).map((room) => yjsRoom(url, room, false))),
      hocuspocus: () => Promise.all(numbers(count).map((room) => yjsRoom(url, room, true))),
    };
    rooms = await opened[kind]();
    return rooms.map(({ name, position }) => ({ name, position: position() }));
  },

  async read({ kind, url, isLight, devices: wanted }) {
    devices = wanted.map(() => new Seen());
    const open = {
      engine: ({ keys, name }, seen) => (isLight ? openLightMachine(keys, url, name, seen) : openMachine(keys, url, seen)),
      documents: ({ keys, name }, seen) => (isLight ? openLightDocumentReader : openDocumentReader)(keys, url, name, seen),
      relay: ({ keys, name }, seen) => openLightMachine(keys, url, name, seen),
      bare: ({ name }, seen) => openBareReader(url, name, seen),
      'y-websocket': ({ name }, seen) => openYjsReader(url, name, false, isLight, seen),
      hocuspocus: ({ name }, seen) => openYjsReader(url, name, true, isLight, seen),
    };
    // Some at a time: a crowd that comes at once is another question.
    for (let at = 0; at < wanted.length; at += 10) {
      await Promise.all(wanted.slice(at, at + 10).map((device, index) => open[kind](device, devices[at + index])));
    }
  },

  /** Evenly, taking turns between the rooms. Returns when each change was made, by room. */
  async make({ rate, changes }) {
    for (const room of rooms) await room.prepare?.(Math.ceil(changes / rooms.length));
    const made = rooms.map(() => []);
    const from = nowMs();
    let count = 0;
    while (count < changes) {
      const due = Math.min(changes, Math.floor(((nowMs() - from) / 1000) * rate) + 1);
      for (; count < due; count++) {
        made[count % rooms.length].push(nowMs());
        rooms[count % rooms.length].change();
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return { made, seconds: (nowMs() - from) / 1000 };
  },

  positions: async () => rooms.map(({ position }) => position()),
  begin: async ({ positions }) => {
    for (const [index, seen] of devices.entries()) seen.begin(positions[index]);
  },
  count: async () => devices.reduce((sum, seen) => sum + seen.count, 0),
  take: async () => devices.map((seen) => seen.take()),
  /** What the documents have come to, in this process: null where there is none. */
  states: async () => (rooms.length > 0 ? rooms : devices).map(({ state }) => state?.() ?? null),
};

const numbers = (count) => Array.from({ length: count }, (_, index) => `room-${index}`);

/** Each session is hosted by a machine of another workspace, so that its devices follow it and nothing else. */
async function engineRooms(url, workspaces, folder) {
  const { engine, store } = await openEngine(folder, false);
  return await Promise.all(
    workspaces.map(async ([keys]) => {
      const session = await engine.create(randomUUID(), { kind: 'echo', cwd: '/' }, { title: null });
      const machine = new Machine(keys, url);
      await machine.live();
      const only = {
        hosted: new Map([[session.runId, session]]),
        remote: engine.remote,
        checkpoint: (runId) => engine.checkpoint(runId),
        onLog: (listener) => engine.onLog((runId) => runId === session.runId && listener(runId)),
        onSession: () => () => {},
        onRemoving: () => () => {},
        onRemoved: () => () => {},
      };
      const about = () => ({ name: 'bench', version: '0', platform: process.platform });
      await replication({ engine: only, store, about, onNotice: machine.onProblem })(machine, () => {});
      const event = { channel: 'system:status', type: 'beat', payload: CHANGE };
      const change = () => void session.log.append([event], { durable: true });
      return { name: session.runId, position: () => session.log.published.seq, change };
    }),
  );
}

async function relayRoom(keys, url) {
  const machine = new Machine(keys, url);
  await machine.live();
  const name = randomUUID();
  const stream = machine.keyring.streamName('log', name);
  let sealed = [];
  let [position, made, previousHash] = [0, 0, NO_BATCH_HASH];
  const payload = new Uint8Array(Buffer.from(JSON.stringify(CHANGE)));
  const prepare = (count) => {
    sealed = [];
    for (let batch = 0; batch < count; batch++) {
      made += 1;
      const header = { kind: 'log', stream, epoch: 1, seqFrom: made, seqTo: made, counter: made, previousHash };
      const { frame, hash } = seal(machine, header, payload);
      previousHash = hash;
      sealed.push(frame);
    }
    sealed.reverse();
  };
  const change = () => {
    position += 1;
    machine.link.ask({ type: 'batch', frame: sealed.pop(), release: null }).catch((error) => machine.onProblem('refused', error));
  };
  prepare(1);
  change();
  return { name, position: () => position, prepare, change };
}

async function bareRoom(url, name, bytes) {
  const socket = await openSocket(url, name);
  let position = 0;
  const message = Buffer.alloc(bytes);
  const change = () => {
    message.writeUInt32BE(++position);
    socket.send(Buffer.from(message));
  };
  return { name, position: () => position, change };
}

async function documentRooms(url, workspaces, folder) {
  const store = await openStore({ file: join(folder, 'baton.db') });
  const open = async ([keys]) => {
    const runId = randomUUID();
    const room = documentRoom(runId, (await openDocument(keys, url, runId, store)).doc);
    // Whoever comes finds something to check: the thread that does it is started one after the other, as the machines are.
    room.change();
    return room;
  };
  return await Promise.all(workspaces.map(open));
}

async function yjsRoom(url, name, isHocuspocus) {
  return documentRoom(name, (await YjsClient.open(url, name, isHocuspocus, false, () => {})).doc);
}

/** The same changes, whoever carries them. */
function documentRoom(name, doc) {
  const map = doc.getMap('state');
  let position = 0;
  const change = () => {
    position += 1;
    doc.transact(() => {
      map.set('position', position);
      map.set('change', CHANGE);
    });
  };
  return { name, position: () => position, change, state: () => stateOf(doc) };
}

await sealReady;
process.on('message', async ({ call, params }) => {
  try {
    process.send({ result: await commands[call](params) });
  } catch (error) {
    process.send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
