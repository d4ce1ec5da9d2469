import { beforeAll, describe, expect, it } from 'vitest';
import type { MachineId } from './ids.ts';
import { applyEntry, changed, liveMember, liveMembers, type Member, type Membership, whyNot } from './membership.ts';
import { type EntryBody, readEntry, signEntry } from './membership-entry.ts';
import {
  addMachine,
  foundWorkspace,
  nameOf,
  renameMachine,
  revokeMachine,
  rotateKey,
  setRights,
  takeKeys,
} from './membership-keys.ts';
import { Keyring, sealReady, toHex } from './seal.ts';
import { TestMachine, testMachineId, testWorkspace } from './sim/workspace.ts';

beforeAll(() => sealReady);

const why = (membership: Membership | null, bytes: Uint8Array): string => {
  const applied = applyEntry(membership, bytes);
  return applied.is === 'refused' ? applied.why : applied.is;
};

describe('the membership chain', () => {
  it('[member-1] is the same on every machine that follows it from the first entry', async () => {
    const machines = (await testWorkspace('start', 'view')) as [TestMachine, TestMachine, TestMachine];
    const [a, b, c] = machines;
    expect(b.membership).toEqual(a.membership);
    expect(liveMembers(c.membership).map(({ machine, rights }) => [machine, rights])).toEqual([
      [a.machine, 'start'],
      [b.machine, 'start'],
      [c.machine, 'view'],
    ]);
    expect(a.membership.workspace).toBe(readEntry(a.entries[0] as Uint8Array)?.hash);
    expect(why(a.membership, a.entries[1] as Uint8Array)).toBe('known');
    expect(why(null, a.entries[1] as Uint8Array)).toBe('not-genesis');
  });

  it('[member-1] takes only the next entry, of a live machine, with its signature', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const one = rotateKey(a.membership, a, 3_000);
    const body = readEntry(one)?.body as EntryBody;
    const forged = signEntry({ ...body, by: b.machine }, a.keys.sign.secretKey);
    expect(why(b.membership, forged)).toBe('bad-signature');
    expect(why(b.membership, signEntry({ ...body, height: 9 }, a.keys.sign.secretKey))).toBe('not-next');
    const stranger = new TestMachine(9);
    expect(why(b.membership, rotateKey(b.membership, stranger, 1))).toBe('unknown-signer');
    expect(why(b.membership, one)).toBe('applied');
    const revoked = revokeMachine(a.membership, a, b.machine, 4_000);
    a.apply(revoked);
    expect(why(a.membership, rotateKey(a.membership, b, 5_000))).toBe('signer-revoked');
  });

  it('[member-2] is changed by machines with all rights only; a machine may rename itself', async () => {
    const [a, b] = (await testWorkspace('type')) as [TestMachine, TestMachine];
    const m = b.membership;
    const newcomer = { ...new TestMachine(7).newcomer, rights: 'start' as const };
    expect(why(m, addMachine(m, b, b.keyring, newcomer, 1))).toBe('not-allowed');
    expect(why(m, revokeMachine(m, b, a.machine, 1))).toBe('not-allowed');
    expect(why(m, rotateKey(m, b, 1))).toBe('not-allowed');
    expect(why(m, setRights(m, b, { machine: b.machine, rights: 'start' }, 1))).toBe('not-allowed');
    expect(why(m, renameMachine(m, b, b.keyring, { machine: a.machine, name: 'x' }, 1))).toBe('not-allowed');
    expect(why(m, renameMachine(m, b, b.keyring, { machine: b.machine, name: 'x' }, 1))).toBe('applied');
  });

  it('[member-3] never takes a machine or a key a second time', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    a.apply(revokeMachine(a.membership, a, b.machine, 3_000));
    const again = (change: object) =>
      why(a.membership, addMachine(a.membership, a, a.keyring, { ...b.newcomer, rights: 'start', ...change }, 4_000));
    expect(again({})).toBe('machine-known');
    expect(again({ machine: testMachineId(8) })).toBe('key-known');
    const fresh = new TestMachine(8).newcomer;
    expect(again({ ...fresh, boxKey: toHex(b.keys.box.publicKey) })).toBe('key-known');
    expect(again(fresh)).toBe('applied');
  });

  it('[member-4] gives a new key to all that stay, and to nobody else, when one goes', async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const keyring = new Keyring(b.keyring.keys());
    const revoked = revokeMachine(a.membership, a, b.machine, 3_000);
    a.apply(revoked);
    c.apply(revoked);
    expect(a.membership.generation).toBe(2);
    expect(toHex(c.keyring.subKey(2, 'events') as Uint8Array)).toBe(toHex(a.keyring.subKey(2, 'events') as Uint8Array));
    const applied = applyEntry(b.membership, revoked);
    if (applied.is !== 'applied') throw new Error('not applied');
    expect(takeKeys(keyring, applied.entry, applied.membership, b)).toBe(true);
    expect(keyring.has(2)).toBe(false);
    const body = readEntry(revoked)?.body as Extract<EntryBody, { type: 'revoke' }>;
    const link = { previous: a.membership.head, height: a.membership.height + 1 };
    const { machine: _, ...rotation } = body;
    const sealedToAll = (keys: EntryKeys) => signEntry({ ...rotation, ...link, type: 'rotate', keys }, a.keys.sign.secretKey);
    const own = body.keys[a.machine] as string;
    expect(why(a.membership, sealedToAll({ [a.machine]: own }))).toBe('wrong-receivers');
    expect(why(a.membership, sealedToAll({ [a.machine]: own, [b.machine]: own, [c.machine]: own }))).toBe('wrong-receivers');
    expect(why(a.membership, sealedToAll({ [a.machine]: own, [c.machine]: own }))).toBe('applied');
    expect(why(a.membership, revokeMachine(a.membership, a, a.machine, 4_000))).toBe('own-revocation');
  });

  it('[member-5] always keeps a machine with all rights', async () => {
    const [a, b] = (await testWorkspace('view')) as [TestMachine, TestMachine];
    const less = (machine: MachineId) => setRights(a.membership, a, { machine, rights: 'type' }, 3_000);
    expect(why(a.membership, less(a.machine))).toBe('last-owner');
    a.apply(setRights(a.membership, a, { machine: b.machine, rights: 'start' }, 3_000));
    expect(why(a.membership, less(a.machine))).toBe('applied');
  });

  it('[member-6] stops at a fork that a member signed, and at nothing that just claims to be one', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const before = b.membership;
    const one = rotateKey(a.membership, a, 3_000);
    const other = renameMachine(before, b, b.keyring, { machine: b.machine, name: 'other' }, 3_000);
    a.apply(one);
    expect(why(a.membership, rotateKey(before, new TestMachine(9), 1))).toBe('not-next');
    const body = readEntry(other)?.body as EntryBody;
    expect(why(a.membership, signEntry(body, a.keys.sign.secretKey))).toBe('bad-signature');
    const forked = applyEntry(a.membership, other);
    if (forked.is !== 'fork') throw new Error('no fork');
    expect(forked.membership.fork).toBe(readEntry(other)?.hash);
    expect(why(forked.membership, rotateKey(a.membership, a, 4_000))).toBe('forked');
  });

  it('[member-7] gives a machine every key it is meant to have, out of the chain and its own keys alone', async () => {
    const [a] = (await testWorkspace('start')) as [TestMachine];
    a.apply(rotateKey(a.membership, a, 3_000));
    const late = new TestMachine(3);
    const added = addMachine(a.membership, a, a.keyring, { ...late.newcomer, rights: 'view' }, 4_000);
    for (const entry of [...a.entries, added]) late.apply(entry);
    expect(late.keyring.keys().map(([generation, key]) => [generation, toHex(key)])).toEqual(
      a.keyring.keys().map(([generation, key]) => [generation, toHex(key)]),
    );
  });

  it('[member-7] notices a key that is not the one that was announced', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const honest = readEntry(rotateKey(a.membership, a, 3_000))?.body as Extract<EntryBody, { type: 'rotate' }>;
    const other = readEntry(rotateKey(a.membership, a, 3_000))?.body as Extract<EntryBody, { type: 'rotate' }>;
    const keys = { ...honest.keys, [b.machine]: other.keys[b.machine] as string };
    expect(() => b.apply(signEntry({ ...honest, keys }, a.keys.sign.secretKey))).toThrow(/wrong keys/);
    expect(b.keyring.has(2)).toBe(false);
  });

  it('[member-8] holds names that only members can read', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    b.apply(renameMachine(b.membership, b, b.keyring, { machine: b.machine, name: 'the quiet laptop' }, 3_000));
    const member = liveMember(b.membership, b.machine) as Member;
    expect(nameOf(member, a.keyring)).toBe('the quiet laptop');
    expect(nameOf(member, new Keyring())).toBeNull();
    expect(b.entries.some((entry) => Buffer.from(entry).includes('quiet'))).toBe(false);
  });

  it('[member-10] is not filled by the names of a machine that may do nothing else', async () => {
    const [a, b] = (await testWorkspace('view')) as [TestMachine, TestMachine];
    const rename = (by: TestMachine) => renameMachine(a.membership, by, b.keyring, { machine: b.machine, name: 'x' }, 3_000);
    const apply = (entry: Uint8Array) => {
      for (const machine of [a, b]) machine.apply(entry);
    };
    for (let count = 0; count < 100; count++) apply(rename(b));
    expect(why(a.membership, rename(b))).toBe('too-many');
    apply(rename(a));
    expect(why(a.membership, revokeMachine(a.membership, a, b.machine, 4_000))).toBe('applied');
  });

  it('[member-10] shows no name that looks like another', async () => {
    const [a, b] = (await testWorkspace('view')) as [TestMachine, TestMachine];
    const named = (name: string) => {
      b.apply(renameMachine(b.membership, b, b.keyring, { machine: b.machine, name }, 3_000));
      return nameOf(liveMember(b.membership, b.machine) as Member, a.keyring);
    };
    expect(named('lap\u200btop\u202e')).toBe('laptop');
    expect(named('\u0000\u2066')).toBeNull();
    expect(named('Büro – 電腦')).toBe('Büro – 電腦');
  });
});

type EntryKeys = Extract<EntryBody, { type: 'rotate' }>['keys'];

describe('every short history', () => {
  const ids = [1, 2, 3].map(testMachineId) as [MachineId, MachineId, MachineId];
  const hexOf = (number: number) => number.toString(16).padStart(64, '0');

  function start(): Membership {
    const bytes = foundWorkspace(new TestMachine(1), 'a', 1);
    const applied = applyEntry(null, bytes);
    if (applied.is !== 'applied') throw new Error('not founded');
    return applied.membership;
  }

  /** Everything that three machines could write as the next entry, sensible or not. */
  function* attempts(membership: Membership): Generator<EntryBody> {
    const { head: previous, height } = membership;
    for (const by of ids) {
      const link = { version: 1 as const, previous, height: height + 1, by, atMs: 0 };
      for (const [index, machine] of ids.entries()) {
        const keys = { signKey: hexOf(index), boxKey: hexOf(10 + index), label: '00', keyring: '00' };
        for (const rights of ['view', 'type', 'start'] as const) {
          yield { type: 'add', ...link, machine, ...keys, rights };
          yield { type: 'rights', ...link, machine, rights };
        }
        yield { type: 'rename', ...link, machine, label: '01' };
        const rest = liveMembers(membership).filter((member) => member.machine !== machine);
        yield { type: 'revoke', ...link, machine, keyHash: hexOf(99), keys: receivers(rest) };
        yield { type: 'revoke', ...link, machine, keyHash: hexOf(99), keys: receivers(liveMembers(membership)) };
      }
      yield { type: 'rotate', ...link, keyHash: hexOf(98), keys: receivers(liveMembers(membership)) };
      yield { type: 'rotate', ...link, keyHash: hexOf(98), keys: receivers(liveMembers(membership).slice(1)) };
    }
  }
  const receivers = (members: readonly Member[]): EntryKeys => Object.fromEntries(members.map(({ machine }) => [machine, '00']));

  /** What the future depends on. */
  const shape = ({ members }: Membership) =>
    JSON.stringify(
      [...members.values()].map(({ machine, rights, revokedHeight }) => [machine, rights, revokedHeight !== null]).sort(),
    );

  function checkStep(before: Membership, body: EntryBody, after: Membership): void {
    expect(liveMember(before, body.by)).not.toBeNull();
    expect(liveMembers(after).some(({ rights }) => rights === 'start')).toBe(true);
    for (const [machine, member] of before.members) {
      const now = after.members.get(machine);
      expect(now).toMatchObject({ signKey: member.signKey, boxKey: member.boxKey });
      if (member.revokedHeight !== null) expect(now).toEqual(member);
    }
    const isCut = liveMembers(before).some(({ machine }) => liveMember(after, machine) === null);
    expect(after.generation).toBe(before.generation + (isCut || body.type === 'rotate' ? 1 : 0));
    expect([...after.entries.keys()].slice(0, -1)).toEqual([...before.entries.keys()]);
    if (body.type !== 'rename' || body.machine !== body.by) expect(before.members.get(body.by)?.rights).toBe('start');
  }

  it('[member-2] [member-3] [member-4] [member-5] keeps its promises in each state that three machines can reach', () => {
    const seen = new Map<string, Membership>();
    const todo = [start()];
    let steps = 0;
    for (let membership = todo.pop(); membership !== undefined; membership = todo.pop()) {
      if (seen.has(shape(membership))) continue;
      seen.set(shape(membership), membership);
      for (const body of attempts(membership)) {
        const signer = membership.members.get(body.by);
        if (signer === undefined || signer.revokedHeight !== null || whyNot(membership, signer, body) !== null) continue;
        const after = changed(membership, { body, hash: hexOf(1_000 + ++steps) });
        checkStep(membership, body, after);
        todo.push(after);
      }
    }
    // Each of three machines absent, live with one of three rights or revoked (with the rights it had), one live owner at least.
    expect(seen.size).toBeGreaterThan(100);
  });
});
