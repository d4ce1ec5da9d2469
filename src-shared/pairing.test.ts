import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type MemberState,
  mailboxOf,
  memberConfirms,
  memberDeclines,
  memberExpires,
  memberReceives,
  memberWelcomes,
  type NewcomerState,
  newcomerReceives,
  PAIRING_MS,
  type PairingWelcome,
  startMember,
  startNewcomer,
} from './pairing.ts';
import { codeOf, makeSecret, secretOf } from './pairing-code.ts';
import { sealReady, toHex } from './seal.ts';
import { TestMachine } from './sim/workspace.ts';

beforeAll(() => sealReady);

const WELCOME: PairingWelcome = {
  workspace: '1'.repeat(64),
  chainHead: '2'.repeat(64),
  relayKey: '3'.repeat(64),
  rights: 'type',
};

function bytes(send: Uint8Array | null): Uint8Array {
  if (send === null) throw new Error('nothing was sent');
  return send;
}

/** Both sides up to the digits, each with the secret it was given; `between` may change what is on the way. */
function talk(
  memberSecret: Uint8Array,
  newcomerSecret: Uint8Array,
  between: (message: Uint8Array, index: number) => Uint8Array = (message) => message,
): { member: MemberState; newcomer: NewcomerState } {
  const started = startNewcomer(newcomerSecret, new TestMachine(5).newcomer, 0);
  const answered = memberReceives(startMember(memberSecret, 0), between(bytes(started.send), 0), 1);
  if (answered.send === null) return { member: answered.state, newcomer: started.state };
  const revealed = newcomerReceives(started.state, between(answered.send, 1), 2);
  if (revealed.send === null) return { member: answered.state, newcomer: revealed.state };
  return { member: memberReceives(answered.state, between(revealed.send, 2), 3).state, newcomer: revealed.state };
}

const digits = (state: MemberState | NewcomerState): string | null => (state.is === 'comparing' ? state.digits : null);

describe('pairing', () => {
  it('[pair-1] shows both sides the same six digits, and the newcomer is told its workspace once they are confirmed', () => {
    const secret = makeSecret();
    const { member, newcomer } = talk(secret, secret);
    expect(digits(member)).toMatch(/^\d{6}$/);
    expect(digits(newcomer)).toBe(digits(member));
    const confirmed = memberConfirms(member, 'type', 4);
    if (confirmed.is !== 'confirmed') throw new Error(confirmed.is);
    expect(confirmed.newcomer.machine).toBe(new TestMachine(5).machine);
    expect(confirmed.rights).toBe('type');
    const welcomed = memberWelcomes(confirmed, WELCOME);
    expect(welcomed.state.is).toBe('done');
    expect(newcomerReceives(newcomer, bytes(welcomed.send), 5).state).toEqual({ is: 'joined', welcome: WELCOME });
  });

  it('[pair-1] welcomes nobody before a person has confirmed', () => {
    const secret = makeSecret();
    const { member } = talk(secret, secret);
    expect(() => memberWelcomes(member, WELCOME)).toThrow(/comparing/);
    expect(memberConfirms(startMember(secret, 0), 'start', 1).is).toBe('waiting');
  });

  it('[pair-2] refuses whoever does not have the secret', () => {
    const { member, newcomer } = talk(makeSecret(), makeSecret());
    expect(member.is).toBe('waiting');
    expect(newcomer.is).toBe('committed');
    const secret = makeSecret();
    const started = startNewcomer(secret, new TestMachine(5).newcomer, 0);
    const foreign = memberReceives(startMember(makeSecret(), 0), bytes(started.send), 1);
    expect(foreign.send).toBeNull();
    // A relay that answers in the member's place.
    const other = makeSecret();
    const lured = memberReceives(startMember(other, 0), bytes(startNewcomer(other, new TestMachine(6).newcomer, 0).send), 1);
    expect(newcomerReceives(started.state, bytes(lured.send), 2).state).toEqual({ is: 'failed', why: 'tampered' });
  });

  it('[pair-3] shows other digits on the two sides when somebody with the secret stands between them', () => {
    let same = 0;
    for (let run = 0; run < 100; run++) {
      const secret = makeSecret();
      // To each side the one between talks as the other, with keys of its own.
      const newcomer = startNewcomer(secret, new TestMachine(5).newcomer, 0);
      const falseMember = memberReceives(startMember(secret, 0), bytes(newcomer.send), 1);
      const falseNewcomer = startNewcomer(secret, new TestMachine(6).newcomer, 0);
      const member = memberReceives(startMember(secret, 0), bytes(falseNewcomer.send), 1);
      const shownToNewcomer = newcomerReceives(newcomer.state, bytes(falseMember.send), 2).state;
      const revealed = newcomerReceives(falseNewcomer.state, bytes(member.send), 2);
      const shownToMember = memberReceives(member.state, bytes(revealed.send), 3).state;
      expect(digits(shownToMember)).not.toBeNull();
      if (digits(shownToMember) === digits(shownToNewcomer)) same++;
    }
    // By chance one time in a million.
    expect(same).toBeLessThan(2);
  });

  it('[pair-3] refuses a key other than the one that was committed to', () => {
    const secret = makeSecret();
    const committed = startNewcomer(secret, new TestMachine(6).newcomer, 0);
    const member = memberReceives(startMember(secret, 0), bytes(committed.send), 1);
    const other = startNewcomer(secret, new TestMachine(6).newcomer, 0);
    if (committed.state.is !== 'committed' || other.state.is !== 'committed') throw new Error('not committed');
    // It has heard the answer and now comes with a key that it likes better.
    const chosen: NewcomerState = { ...committed.state, ephemeral: other.state.ephemeral, nonce: other.state.nonce };
    const revealed = newcomerReceives(chosen, bytes(member.send), 2);
    expect(memberReceives(member.state, bytes(revealed.send), 3).state).toEqual({ is: 'failed', why: 'tampered' });
  });

  it('[pair-8] shows a name without anything that could change what stands beside it', () => {
    const named = (name: string) => {
      const secret = makeSecret();
      const newcomer = startNewcomer(secret, { ...new TestMachine(5).newcomer, name }, 0);
      const member = memberReceives(startMember(secret, 0), bytes(newcomer.send), 1);
      const revealed = newcomerReceives(newcomer.state, bytes(member.send), 2);
      const { state } = memberReceives(member.state, bytes(revealed.send), 3);
      return state.is === 'comparing' ? state.newcomer.name : state;
    };
    expect(named('Anna’s laptop')).toBe('Anna’s laptop');
    expect(named('😀'.repeat(64))).toBe('😀'.repeat(64));
    expect(named('laptop\u202e\u2066\u001b[1A\r123 456\u200b')).toBe('laptop[1A123 456');
    expect(named('\u202e\u0007')).toBe(new TestMachine(5).newcomer.machine.slice(-8));
  });

  it('[pair-4] ends after five minutes, after a second user, and after three messages that do not fit', () => {
    const secret = makeSecret();
    const commit = bytes(startNewcomer(secret, new TestMachine(5).newcomer, 0).send);
    const expired = { is: 'failed', why: 'expired' };
    expect(memberReceives(startMember(secret, 0), commit, PAIRING_MS).state).toEqual(expired);
    expect(memberExpires(startMember(secret, 0), PAIRING_MS - 1)).toBeNull();
    expect(memberExpires(startMember(secret, 0), PAIRING_MS)?.state).toEqual(expired);
    const { member, newcomer } = talk(secret, secret);
    expect(memberConfirms(member, 'start', PAIRING_MS)).toEqual(expired);
    expect(newcomerReceives(newcomer, commit, PAIRING_MS).state).toEqual(expired);
    // Somebody else who has the code comes later.
    const first = memberReceives(startMember(secret, 0), commit, 1);
    const second = memberReceives(first.state, bytes(startNewcomer(secret, new TestMachine(6).newcomer, 0).send), 2);
    expect(second.send).toBeNull();
    expect(second.state.is).toBe('answered');
    let state = startMember(secret, 0);
    for (let attempt = 0; attempt < 3; attempt++) state = memberReceives(state, new Uint8Array(65), 1).state;
    expect(state).toEqual({ is: 'failed', why: 'too-many-attempts' });
    expect(memberReceives(state, commit, 1).send).toBeNull();
  });

  it('[pair-5] tells the newcomer when it was declined', () => {
    const secret = makeSecret();
    const { member, newcomer } = talk(secret, secret);
    const declined = memberDeclines(member);
    expect(declined.state).toEqual({ is: 'failed', why: 'declined' });
    expect(newcomerReceives(newcomer, bytes(declined.send), 5).state).toEqual({ is: 'failed', why: 'declined' });
  });

  it('[pair-6] is not moved by garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        const secret = makeSecret();
        expect(memberReceives(startMember(secret, 0), message, 1).state.is).toBe('waiting');
        const { state } = startNewcomer(secret, new TestMachine(5).newcomer, 0);
        expect(newcomerReceives(state, message, 1).state.is).toBe('failed');
      }),
      { numRuns: 300 },
    );
  });
});

describe('the code', () => {
  it('[pair-7] is 26 characters, and is understood as people type it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (secret) => {
        const code = codeOf(secret);
        expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}-[0-9A-HJKMNP-TV-Z]{6}$/);
        const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}\n`;
        expect(toHex(secretOf(typed) as Uint8Array)).toBe(toHex(secret));
      }),
    );
    expect(secretOf('')).toBeNull();
    expect(secretOf('U'.repeat(26))).toBeNull();
    expect(secretOf('0'.repeat(27))).toBeNull();
  });

  it('[pair-7] notices most slips, and its mailbox says nothing of it', () => {
    const secret = makeSecret();
    const code = codeOf(secret);
    const slips = [...'23456789ABCDEFGH'].map((other) => other + code.slice(1)).filter((slip) => slip !== code);
    expect(slips.filter((slip) => secretOf(slip) === null).length).toBeGreaterThan(2);
    expect(mailboxOf(secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(mailboxOf(secret)).not.toContain(toHex(secret).slice(0, 8));
  });
});
