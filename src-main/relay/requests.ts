import { liveMember } from '../../src-shared/membership.ts';
import { writerOf } from '../../src-shared/receive-batch.ts';
import { CLOSE } from '../../src-shared/refusal.ts';
import {
  handshakeBytes,
  MAX_CHAIN_PAGE_BYTES,
  MAX_STREAM_PAGE_BYTES,
  type MessagePart,
  parseToRelay,
  RELAY_CLOSE,
  RELAY_PROTOCOL_VERSION,
  type ToRelay,
} from '../../src-shared/relay-protocol.ts';
import { fromHex, isSignedBy, sign } from '../../src-shared/seal.ts';
import { BATCH_KINDS, type BatchKindName, readBatch } from '../../src-shared/sealed-batch.ts';
import type { Connection, Peer } from './connection.ts';
import type { Relay } from './relay.ts';
import type { Taken } from './workspace.ts';

/** Whoever asks for mailboxes that are not there is guessing. */
const MAX_MISSED_MAILBOXES = 3;

type Request<T extends ToRelay['type']> = Extract<ToRelay, { type: T }>;
type Machine = Extract<Peer, { is: 'machine' }>;

/** What one message does. Who has not proved who it is gets no further than the first two lines of this. */
export function answer(relay: Relay, connection: Connection, message: ToRelay): void {
  if (message.type === 'ping') connection.send({ type: 'pong' });
  else if (connection.peer.is === 'machine') answerMachine(relay, connection, connection.peer, message);
  else answerStranger(relay, connection, message);
}

function answerStranger(relay: Relay, connection: Connection, message: ToRelay): void {
  switch (message.type) {
    case 'prove':
      prove(relay, connection, message);
      break;
    case 'found': {
      const why = relay.found(message.entries);
      if (why === null) connection.send({ type: 'done', ask: message.ask });
      else {
        connection.refuse(message.ask, why);
        // Checking a chain is work: one try for each connection.
        if (why === 'entry-refused') connection.close(RELAY_CLOSE.notProven);
      }
      break;
    }
    case 'mailbox:join':
      joinMailbox(relay, connection, message);
      break;
    case 'mailbox:say':
      relay.mailboxes.say(message.mailbox, connection, message.message);
      break;
    case 'mailbox:close':
      relay.mailboxes.close(message.mailbox, connection);
      break;
    default:
      connection.close(RELAY_CLOSE.notProven);
  }
}

function prove(relay: Relay, connection: Connection, message: Request<'prove'>): void {
  if (message.version !== RELAY_PROTOCOL_VERSION) {
    connection.close(CLOSE.versionMismatch);
    return;
  }
  const workspace = relay.workspace(message.workspace);
  if (workspace === undefined) {
    connection.refuse(null, 'unknown-workspace');
    return;
  }
  const { machine } = message;
  const shake = handshakeBytes({
    relayKey: relay.keys.publicKey,
    relayNonce: connection.nonce,
    machineNonce: message.nonce,
    workspace: workspace.id,
    machine,
  });
  const member = workspace.membership.members.get(machine);
  if (member === undefined || !isSignedBy('relay-machine', shake, message.signature, fromHex(member.signKey))) {
    connection.refuse(null, 'unknown-machine');
    // Checking a proof is work: one that is wrong for each connection.
    connection.close(RELAY_CLOSE.notProven);
    return;
  }
  if (member.revokedHeight !== null) {
    connection.close(RELAY_CLOSE.removed);
    return;
  }
  connection.peer = { is: 'machine', machine, workspace };
  relay.enter(connection, workspace);
  const { head, height } = workspace.membership;
  connection.send({
    type: 'welcome',
    signature: sign('relay-identity', shake, relay.keys.secretKey),
    incarnation: relay.storage.incarnation,
    height,
    head,
    machines: workspace.seen(relay.nowMs()),
  });
}

function joinMailbox(relay: Relay, connection: Connection, { ask, mailbox }: Request<'mailbox:join'>): void {
  if (connection.peer.is === 'guest') {
    connection.refuse(ask, 'too-many');
    return;
  }
  const why = relay.mailboxes.join(mailbox, connection);
  if (why === null) {
    connection.peer = { is: 'guest', mailbox };
    connection.send({ type: 'done', ask });
    return;
  }
  connection.refuse(ask, why);
  connection.missedMailboxes++;
  if (connection.missedMailboxes >= MAX_MISSED_MAILBOXES) connection.close(RELAY_CLOSE.notProven);
}

function answerMachine(relay: Relay, connection: Connection, peer: Machine, message: ToRelay): void {
  const { workspace } = peer;
  switch (message.type) {
    case 'batch':
      takeBatch(connection, peer, message);
      break;
    case 'part':
      takePart(connection, peer, message);
      break;
    case 'follow':
      if (!workspace.follow(connection, message.stream, message.after, message.lane)) connection.refuse(null, 'too-many');
      break;
    case 'unfollow':
      workspace.unfollow(connection, message.stream);
      break;
    case 'credit':
      connection.follows.credit(message.bytes);
      break;
    case 'stream:read':
      readStream(connection, peer, message);
      break;
    case 'stream:page': {
      const { ask, stream, after } = message;
      const read = () => [...workspace.read(stream, after, MAX_STREAM_PAGE_BYTES)];
      const isTaken = connection.follows.page(() => ({ type: 'page', ask, batches: read() }));
      if (!isTaken) connection.refuse(ask, 'too-many');
      break;
    }
    case 'streams:remove': {
      const why = workspace.removeStreams(connection, message.streams);
      if (why === null) connection.send({ type: 'done', ask: message.ask });
      else connection.refuse(message.ask, why);
      break;
    }
    case 'lease:take': {
      const taken = workspace.takeLease(connection, message.stream, message.epoch, message.signature);
      if (typeof taken === 'number') connection.send({ type: 'leased', ask: message.ask, epoch: taken });
      else connection.refuse(message.ask, taken);
      break;
    }
    case 'chain:read':
      readChain(connection, peer, message);
      break;
    case 'chain:append': {
      const why = workspace.appendEntry(message.entry);
      if (why === null) connection.send({ type: 'done', ask: message.ask });
      else connection.refuse(message.ask, why);
      relay.cutRemoved(workspace);
      break;
    }
    case 'mailbox:open': {
      const isOwner = liveMember(workspace.membership, peer.machine)?.rights === 'start';
      const why = isOwner ? relay.mailboxes.open(message.mailbox, connection, relay.nowMs()) : 'not-allowed';
      if (why === null) connection.send({ type: 'done', ask: message.ask });
      else connection.refuse(message.ask, why);
      break;
    }
    case 'mailbox:say':
      relay.mailboxes.say(message.mailbox, connection, message.message);
      break;
    case 'mailbox:close':
      relay.mailboxes.close(message.mailbox, connection);
      break;
    case 'found':
    case 'mailbox:join':
      connection.refuse(message.ask, 'not-allowed');
      break;
    case 'prove':
    case 'ping':
      // Once is enough; and pings are answered before this.
      connection.close(CLOSE.malformedFrame);
  }
}

function takeBatch(connection: Connection, { workspace }: Machine, { ask, frame, release }: Request<'batch'>): void {
  const tell = (taken: Taken) => {
    if (ask === null || taken.is === 'waiting') return;
    if (taken.is === 'refused') connection.refuse(ask, taken.why);
    else if (taken.is === 'stored') connection.send({ type: 'stored', ask, position: taken.position });
    else connection.send({ type: 'passed', ask, receivers: taken.receivers });
  };
  const batch = readBatch(frame);
  tell(batch === null ? { is: 'refused', why: 'malformed' } : workspace.take(connection, batch, release, tell));
}

/** Of a batch that is too large to come at once. Nothing else is sent in parts. */
function takePart(connection: Connection, peer: Machine, { ask, ...part }: Request<'part'>): void {
  const whole = joined(connection, part);
  if (whole === 'malformed') {
    connection.close(CLOSE.malformedFrame);
    return;
  }
  connection.send({ type: 'done', ask });
  if (whole !== null) takeBatch(connection, peer, whole);
}

function joined({ parts }: Connection, part: MessagePart): Request<'batch'> | null | 'malformed' {
  try {
    const whole = parts.add(part);
    const message = whole && parseToRelay(whole);
    return message === null || message.type === 'batch' ? message : 'malformed';
  } catch {
    return 'malformed';
  }
}

function readStream(
  connection: Connection,
  { workspace, machine }: Machine,
  { ask, stream: name }: Request<'stream:read'>,
): void {
  const stream = workspace.stream(name);
  if (stream === null || stream.kind === 'removed') {
    connection.refuse(ask, stream === null ? 'unknown-stream' : 'removed');
    return;
  }
  const { epoch, holder, lastSeq, writers } = stream.state;
  const own = (Object.keys(BATCH_KINDS) as BatchKindName[]).flatMap((kind) => {
    const last = writers.get(writerOf({ machine, kind }));
    return last === undefined ? [] : [{ kind, ...last }];
  });
  connection.send({ type: 'stream', ask, epoch, holder, lastSeq, lastPosition: stream.lastPosition, own });
}

function readChain(connection: Connection, { workspace }: Machine, { ask, after }: Request<'chain:read'>): void {
  const entries: Uint8Array[] = [];
  let bytes = 0;
  for (const entry of workspace.chainAfter(after)) {
    if (entries.length > 0 && bytes + entry.byteLength > MAX_CHAIN_PAGE_BYTES) break;
    entries.push(entry);
    bytes += entry.byteLength;
  }
  connection.send({ type: 'chain', ask, entries, height: workspace.membership.height });
}
