import { afterEach, beforeEach, expect, it } from 'vitest';
import { addMachine } from '../../src-shared/membership-keys.ts';
import {
  type MemberState,
  mailboxOf,
  memberConfirms,
  memberReceives,
  memberWelcomes,
  newcomerReceives,
  startMember,
  startNewcomer,
} from '../../src-shared/pairing.ts';
import { codeOf, makeSecret, secretOf } from '../../src-shared/pairing-code.ts';
import { EMPTY_STREAM, receiveBatch } from '../../src-shared/receive-batch.ts';
import { toHex } from '../../src-shared/seal.ts';
import { TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { type RelayClient, RelayProcess } from './relay.fixture.ts';

let relay: RelayProcess;
beforeEach(async () => {
  relay = new RelayProcess();
  await relay.start();
});
afterEach(() => relay.dispose());

/** What the other end says, one after the other. */
async function* said(client: RelayClient): AsyncGenerator<Uint8Array> {
  for (let count = 1; ; count++) {
    const messages = await client.until(() => {
      const all = client.heard.flatMap((heard) => (heard.type === 'mailbox:said' ? [heard.message] : []));
      return all.length >= count && all;
    });
    yield messages[count - 1] as Uint8Array;
  }
}

async function next(messages: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  return (await messages.next()).value as Uint8Array;
}

it('[pair-1] [relay-18] brings a machine in over a relay: it then reads what was written before it came', async () => {
  const [a] = (await testWorkspace()) as [TestMachine];
  const ofA = await (await relay.connect()).enter(a);
  const stream = a.keyring.streamName('log', 'a session');
  await ofA.append(a.seal({ kind: 'log', stream }, 'written before'));

  const secret = makeSecret();
  const mailbox = mailboxOf(secret);
  expect(await ofA.outcome({ type: 'mailbox:open', mailbox })).toBe('done');
  const toA = said(ofA);

  // A person types the code at the other machine.
  const b = new TestMachine(2);
  const typed = secretOf(codeOf(secret).toLowerCase()) as Uint8Array;
  const ofB = await relay.connect();
  await ofB.first('challenge');
  expect(await ofB.outcome({ type: 'mailbox:join', mailbox: mailboxOf(typed) })).toBe('done');
  const toB = said(ofB);
  const say = (client: RelayClient, message: Uint8Array | null) =>
    client.tell({ type: 'mailbox:say', mailbox, message: message as Uint8Array });

  let newcomer = startNewcomer(typed, b.newcomer, 0);
  say(ofB, newcomer.send);
  const answered = memberReceives(startMember(secret, 0), await next(toA), 1);
  say(ofA, answered.send);
  newcomer = newcomerReceives(newcomer.state, await next(toB), 2);
  say(ofB, newcomer.send);
  let member: MemberState = memberReceives(answered.state, await next(toA), 3).state;
  if (member.is !== 'comparing' || newcomer.state.is !== 'comparing') throw new Error(`${member.is}, ${newcomer.state.is}`);
  expect(newcomer.state.digits).toBe(member.digits);

  // The digits are the same: the person says yes.
  member = memberConfirms(member, 'start', 4);
  if (member.is !== 'confirmed') throw new Error(member.is);
  const { rights } = member;
  const entry = addMachine(a.membership, a, a.keyring, { ...member.newcomer, rights }, 5);
  expect(await ofA.outcome({ type: 'chain:append', entry })).toBe('done');
  a.apply(entry);
  const { relayKey } = await ofA.first('challenge');
  const { workspace, head } = a.membership;
  say(ofA, memberWelcomes(member, { workspace, chainHead: head, relayKey: toHex(relayKey), rights }).send);
  newcomer = newcomerReceives(newcomer.state, await next(toB), 6);
  if (newcomer.state.is !== 'joined') throw new Error(newcomer.state.is);
  ofA.tell({ type: 'mailbox:close', mailbox });
  await ofB.first('mailbox:closed');

  // Over the same connection it proves itself, reads the chain, and finds the head that it was told in it.
  expect(await ofB.prove(b, newcomer.state.welcome.workspace)).toMatchObject({ type: 'welcome', head });
  const chain = await ofB.ask({ type: 'chain:read', after: 0 });
  for (const each of chain.type === 'chain' ? chain.entries : []) b.apply(each);
  expect(b.membership.entries.has(newcomer.state.welcome.chainHead)).toBe(true);
  ofB.tell({ type: 'credit', bytes: 100_000 });
  ofB.follow(b.keyring.streamName('log', 'a session'));
  const { frame } = await ofB.first('batch');
  const received = receiveBatch(frame, { membership: b.membership, keyring: b.keyring, state: EMPTY_STREAM });
  expect(received.is === 'opened' && new TextDecoder().decode(received.payload)).toBe('written before');
});
