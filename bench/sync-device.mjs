// Devices of sync.bench.mjs: machines at the relay, and clients of the servers that the relay is held against. Each counts what it
// sees of one room (a session, or a document) and when. A machine has the product's own link, its replicas, its shared documents and
// every check of them; all of that lies in memory instead of a database. A light one takes what comes, but neither opens nor applies it.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createDecoder, readVarString, readVarUint } from 'lib0/decoding';
import { createEncoder, length, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding';
import { WebSocket } from 'ws';
import { messageYjsUpdate, readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';
import { openSocketWire } from '../src-main/socket-wire.ts';
import { decodePiece } from '../src-main/sync/documents/document-payload.ts';
import { DocumentSync } from '../src-main/sync/documents/document-sync.ts';
import { Documents } from '../src-main/sync/documents/documents.ts';
import { Link } from '../src-main/sync/link/link.ts';
import { Replicas } from '../src-main/sync/logs/replicas.ts';
import { SYSTEM_CLOCK } from '../src-shared/client.ts';
import { applyEntry } from '../src-shared/membership.ts';
import { takeKeys } from '../src-shared/membership-keys.ts';
import { EMPTY_STREAM, receiveBatch } from '../src-shared/receive-batch.ts';
import { Keyring } from '../src-shared/seal.ts';
import { sessionDocument } from '../src-shared/workspace-documents.ts';

/** The same in all processes of this machine. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** What one device has seen of its room since `begin`, in the order of the changes. */
export class Seen {
  /** The position of the last change before the first that counts; null: whatever comes first follows it. */
  #last = null;
  #times = [];
  #wrong = 0;
  /** Came, and is looked at when there is time for it. */
  #unread = [];
  bytes = 0;
  /** What this device's document has come to; null: it has none. */
  state = () => null;

  begin(last) {
    this.#last = last;
    this.#times = [];
    this.#wrong = 0;
  }

  /** Asked for when everything was made: what was put off is looked at now. */
  get count() {
    for (const { look, now } of this.#unread.splice(0)) this.see(...look(), now);
    return this.#times.length;
  }

  /** `look` gives what `see` takes. */
  seeLater(look) {
    if (this.#last !== null) this.#unread.push({ look, now: nowMs() });
  }

  /** Changes `from` to `to` have arrived, in one piece. */
  see(from, to, bytes, now = nowMs()) {
    if (this.#last === null) return;
    // What is lost, doubled or out of order shows here; afterwards it is counted on from what came.
    if (from !== this.#last + 1) this.#wrong += 1;
    this.#last = to;
    this.bytes = bytes;
    for (let at = from; at <= to; at++) this.#times.push(now);
  }

  take() {
    return { times: this.#times, wrong: this.#wrong, bytes: this.bytes };
  }
}

/** A machine of a workspace, from keys and a chain that were made elsewhere. */
export class Machine {
  clock = SYSTEM_CLOCK;
  keyring = new Keyring();
  membership = null;
  #passCounter = Date.now() * 1000;

  constructor({ machine, keys, entries }, url) {
    this.signer = { machine, keys };
    for (const bytes of entries) {
      const applied = applyEntry(this.membership, bytes);
      if (applied.is !== 'applied' || !takeKeys(this.keyring, applied.entry, applied.membership, this.signer)) {
        throw new Error('the chain cannot be used');
      }
      this.membership = applied.membership;
    }
    this.link = new Link({
      connect: () => openSocketWire(url),
      signer: this.signer,
      workspace: this.membership.workspace,
      chain: () => entries,
      relayKey: null,
      onFailure: (stream, error) => this.onProblem(`following ${stream} failed`, error),
    });
  }

  live() {
    return new Promise((resolve) => {
      const look = ({ is }) => is === 'live' && resolve();
      this.link.onState(look);
      look(this.link.state);
    });
  }

  onMembership() {
    return () => {};
  }

  nextPassCounter() {
    return ++this.#passCounter;
  }

  onProblem(message, error) {
    process.stderr.write(`sync: ${message} ${error ?? ''}\n`);
  }
}

/** Where a machine's replicas go: they are looked at, and kept in memory. */
class MemorySessions {
  all = new Map();
  isMember = null;
  #onCreate;
  #seen;

  constructor(seen, onCreate) {
    this.#seen = seen;
    this.#onCreate = onCreate;
  }

  isHosted = () => false;
  isOrphan = () => false;
  missing = async () => null;
  onWatched = () => () => {};
  stand() {}
  async fill() {}
  async keepScreen() {}
  async remove() {}

  async create({ runId, spec }, replica, checkpoint) {
    const seq = checkpoint?.seq ?? 0;
    this.all.set(runId, { spec, replica, viewers: { size: 1 }, isHistoryComplete: true, log: { published: { seq } } });
    this.#onCreate();
  }

  async note(runId, replica) {
    this.all.get(runId).replica = replica;
  }

  async append(runId, { events, replica }) {
    const session = this.all.get(runId);
    session.replica = replica;
    session.log.published = { seq: replica.lastSeq };
    if (events.length > 0) this.#seen.see(events[0].seq, events.at(-1).seq, 0);
  }
}

/** A whole machine but for its engine and its disk. Resolves when it has the session. */
export async function openMachine(keys, url, seen) {
  const machine = new Machine(keys, url);
  await machine.live();
  await new Promise((resolve, reject) => {
    const sessions = new MemorySessions(seen, resolve);
    const store = { sessions, getFact: async () => null, setFact: async () => {} };
    Replicas.start(machine, { store, onAbout: () => {}, onNotice: (message) => machine.onProblem(message) }).catch(reject);
  });
}

/** Follows one log, and looks at no more than which events a batch has. */
export async function openLightMachine(keys, url, runId, seen) {
  const machine = new Machine(keys, url);
  await follow(machine, machine.keyring.streamName('log', runId), (frame) => {
    const header = new DataView(frame.buffer, frame.byteOffset);
    seen.see(Number(header.getBigUint64(10)), Number(header.getBigUint64(18)), frame.byteLength);
  });
}

/** Resolves when everything that there is has come. */
async function follow(machine, stream, onFrame) {
  await machine.live();
  await new Promise((resolve) => {
    let cursor = 0;
    machine.link.follow(stream, {
      lane: 'watch',
      cursor: () => cursor,
      onBatch: (frame, position) => {
        cursor = position;
        onFrame(frame);
      },
      onCaughtUp: resolve,
    });
  });
}

// ——— shared documents ———

/** Which changes are in an update: each is two operations of the one who makes them. */
export function changesOf(update) {
  const { from, to } = Y.parseUpdateMeta(update);
  const [[writer, end]] = to;
  return [from.get(writer) / 2 + 1, end / 2];
}

/** To be compared with what others have come to. */
export const stateOf = (doc) => createHash('sha256').update(Y.encodeStateAsUpdate(doc)).digest('hex');

const noDocuments = {
  listDocuments: async () => [],
  readDocument: async () => [],
  writeDocument: async () => {},
  oldDrafts: async () => [],
};

/** The document of a session as a machine has it, when it has all of it. */
export async function openDocument(keys, url, runId, store) {
  const machine = new Machine(keys, url);
  await machine.live();
  const documents = await Documents.open({ store, clock: machine.clock, onProblem: machine.onProblem });
  const sync = new DocumentSync({ context: machine, documents, sessions: { sessions: new Map(), onSession: () => () => {} } });
  const name = sessionDocument(runId);
  const document = await documents.load(name);
  while (!sync.isSynced(name)) await new Promise((resolve) => setTimeout(resolve, 10));
  return document;
}

export async function openDocumentReader(keys, url, runId, seen) {
  const { doc, remote } = await openDocument(keys, url, runId, noDocuments);
  doc.on('update', (update, origin) => origin === remote && seen.see(...changesOf(update), update.byteLength));
  seen.state = () => stateOf(doc);
}

/** Hears of a document's updates, and opens none before the round is over. */
export async function openLightDocumentReader(keys, url, runId, seen) {
  const machine = new Machine(keys, url);
  await follow(machine, machine.keyring.streamName('document', sessionDocument(runId)), (frame) =>
    seen.seeLater(() => {
      const { membership, keyring } = machine;
      const { payload } = receiveBatch(frame, { membership, keyring, state: EMPTY_STREAM });
      return [...changesOf(decodePiece(payload).bytes), frame.byteLength];
    }),
  );
}

// ——— clients of the others ———

export async function openSocket(url, room) {
  const socket = new WebSocket(`${url}/${room}`, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/** A message is its number and filling. */
export async function openBareReader(url, room, seen) {
  const socket = await openSocket(url, room);
  socket.on('message', (data) => {
    const position = data.readUInt32BE(0);
    seen.see(position, position, data.length);
  });
}

const MESSAGE_SYNC = 0;
const MESSAGE_AUTH = 2;

/** A Yjs client in as few lines as it can be: what y-websocket's and hocuspocus's own providers do with updates, and nothing else. */
export class YjsClient {
  doc = new Y.Doc();
  #socket;
  #room;
  #isHocuspocus;
  #isLight;

  /** Resolves when the server has answered. */
  static async open(url, room, isHocuspocus, isLight, onUpdate) {
    const client = new YjsClient();
    client.#room = room;
    client.#isHocuspocus = isHocuspocus;
    client.#isLight = isLight;
    client.#socket = await openSocket(url, isHocuspocus ? '' : room);
    const answered = new Promise((resolve) => client.#socket.on('message', (data) => client.#receive(data, onUpdate, resolve)));
    if (isHocuspocus) {
      const [token, provider] = ['', '3.4.4'];
      client.#send(MESSAGE_AUTH, (encoder) => {
        writeVarUint(encoder, 0);
        writeVarString(encoder, token);
        writeVarString(encoder, provider);
      });
    }
    client.#send(MESSAGE_SYNC, (encoder) => writeSyncStep1(encoder, client.doc));
    await answered;
    client.doc.on('update', (update, origin) => {
      if (origin !== client) client.#send(MESSAGE_SYNC, (encoder) => writeUpdate(encoder, update));
    });
    return client;
  }

  #send(type, write) {
    const encoder = createEncoder();
    if (this.#isHocuspocus) writeVarString(encoder, this.#room);
    writeVarUint(encoder, type);
    const before = length(encoder);
    write(encoder);
    if (length(encoder) > before) this.#socket.send(toUint8Array(encoder));
  }

  #receive(data, onUpdate, onAnswer) {
    const decoder = createDecoder(data);
    if (this.#isHocuspocus) readVarString(decoder);
    if (readVarUint(decoder) !== MESSAGE_SYNC) return;
    const isUpdate = decoder.arr[decoder.pos] === messageYjsUpdate;
    if (!isUpdate) onAnswer();
    if (!isUpdate || !this.#isLight) this.#send(MESSAGE_SYNC, (encoder) => readSyncMessage(decoder, encoder, this.doc, this));
    if (isUpdate) onUpdate(this, data.length);
  }
}

/** A change is the next number under one key. */
export async function openYjsReader(url, room, isHocuspocus, isLight, seen) {
  let taken = 0;
  const { doc } = await YjsClient.open(url, room, isHocuspocus, isLight, ({ doc }, bytes) => {
    taken += 1;
    const position = isLight ? taken : doc.getMap('state').get('position');
    seen.see(position, position, bytes);
  });
  if (!isLight) seen.state = () => stateOf(doc);
}
