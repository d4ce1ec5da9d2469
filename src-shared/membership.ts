import type { MachineId } from './ids.ts';
import type { Rights } from './machines.ts';
import { type EntryBody, type MembershipEntry, readEntry } from './membership-entry.ts';
import { fromHex, isSignedBy } from './seal.ts';

/**
 * Who belongs to a workspace: a chain of entries, each signed by a machine that was a member when it signed and linked to the entry
 * before it by its hash. The relay keeps the chain and cannot change it; every machine works it out from the first entry with this
 * reducer. A state is never changed: applying an entry makes a new one.
 */
export interface Member {
  readonly machine: MachineId;
  /** Hex. */
  readonly signKey: string;
  readonly boxKey: string;
  readonly rights: Rights;
  /** Its name, sealed (membership-keys.ts). */
  readonly label: string;
  readonly addedAtMs: number;
  readonly addedHeight: number;
  /** Null while it is a member. */
  readonly revokedHeight: number | null;
  /** How often it has changed its own name. */
  readonly ownRenames: number;
}

export interface Membership {
  /** The hash of the first entry: the workspace's id. */
  readonly workspace: string;
  readonly head: string;
  /** Of the head; the first entry has height 1. */
  readonly height: number;
  /** Of the workspace key. */
  readonly generation: number;
  readonly keyHash: string;
  readonly members: ReadonlyMap<MachineId, Member>;
  /** Every entry by its hash, with the generation that held after it. */
  readonly entries: ReadonlyMap<string, { readonly height: number; readonly generation: number }>;
  /** The hash of an entry that a member signed beside the chain. Nothing more is accepted then: somebody shows us two histories. */
  readonly fork: string | null;
}

/** Live machines of a workspace at one time. */
export const MAX_MACHINES = 100;
export const MAX_CHAIN_ENTRIES = 10_000;
/** Of a machine that may do nothing else in the chain: it must not fill it, or nobody could be removed any more. */
const MAX_OWN_RENAMES = 100;

export type EntryRefusal =
  | 'malformed'
  | 'not-genesis'
  | 'not-next'
  | 'unknown-signer'
  | 'signer-revoked'
  | 'bad-signature'
  | 'not-allowed'
  | 'machine-known'
  | 'key-known'
  | 'unknown-machine'
  | 'machine-revoked'
  | 'own-revocation'
  | 'last-owner'
  | 'wrong-receivers'
  | 'too-many'
  | 'forked';

export type Applied =
  | { readonly is: 'applied'; readonly membership: Membership; readonly entry: MembershipEntry }
  /** It is in the chain already. */
  | { readonly is: 'known'; readonly membership: Membership }
  | { readonly is: 'fork'; readonly membership: Membership }
  | { readonly is: 'refused'; readonly why: EntryRefusal };

const refused = (why: EntryRefusal): Applied => ({ is: 'refused', why });

export function liveMember(membership: Membership, machine: MachineId): Member | null {
  const member = membership.members.get(machine);
  return member === undefined || member.revokedHeight !== null ? null : member;
}

export function liveMembers(membership: Membership): readonly Member[] {
  return [...membership.members.values()].filter(({ revokedHeight }) => revokedHeight === null);
}

/** One entry further; `membership` is null before the first. */
export function applyEntry(membership: Membership | null, bytes: Uint8Array): Applied {
  const entry = readEntry(bytes);
  if (entry === null) return refused('malformed');
  if (membership === null) return found(entry);
  if (membership.fork !== null) return refused('forked');
  if (membership.entries.has(entry.hash)) return { is: 'known', membership };
  const { body } = entry;
  if (body.previous !== membership.head || body.height !== membership.height + 1) return besideTheChain(membership, entry);
  const signer = membership.members.get(body.by);
  if (signer === undefined) return refused('unknown-signer');
  if (signer.revokedHeight !== null) return refused('signer-revoked');
  if (!isSignedBy('membership', entry.signed, entry.signature, fromHex(signer.signKey))) return refused('bad-signature');
  const why = whyNot(membership, signer, body);
  return why === null ? { is: 'applied', membership: changed(membership, entry), entry } : refused(why);
}

function found(entry: MembershipEntry): Applied {
  const { body, hash } = entry;
  if (body.type !== 'genesis' || body.height !== 1) return refused('not-genesis');
  if (!isSignedBy('membership', entry.signed, entry.signature, fromHex(body.signKey))) return refused('bad-signature');
  if (!hasExactly(body.keys, [body.by])) return refused('wrong-receivers');
  const founder: Member = {
    machine: body.by,
    signKey: body.signKey,
    boxKey: body.boxKey,
    rights: 'start',
    label: body.label,
    addedAtMs: body.atMs,
    addedHeight: 1,
    revokedHeight: null,
    ownRenames: 0,
  };
  const membership: Membership = {
    workspace: hash,
    head: hash,
    height: 1,
    generation: 1,
    keyHash: body.keyHash,
    members: new Map([[body.by, founder]]),
    entries: new Map([[hash, { height: 1, generation: 1 }]]),
    fork: null,
  };
  return { is: 'applied', membership, entry };
}

/** An entry that does not follow the head: a fork if a machine signed it that was a member at that height, else nothing at all. */
function besideTheChain(membership: Membership, entry: MembershipEntry): Applied {
  const { body } = entry;
  if (body.height > membership.height) return refused('not-next');
  const signer = membership.members.get(body.by);
  const wasMember =
    signer !== undefined &&
    signer.addedHeight < body.height &&
    (signer.revokedHeight === null || signer.revokedHeight >= body.height);
  if (!wasMember || !membership.entries.has(body.previous)) return refused('not-next');
  if (!isSignedBy('membership', entry.signed, entry.signature, fromHex(signer.signKey))) return refused('bad-signature');
  return { is: 'fork', membership: { ...membership, fork: entry.hash } };
}

/** Why `signer` may not write this as the next entry; null if it may. Knows nothing of bytes and signatures. */
export function whyNot(membership: Membership, signer: Member, body: EntryBody): EntryRefusal | null {
  if (membership.height >= MAX_CHAIN_ENTRIES) return 'too-many';
  const isOwner = signer.rights === 'start';
  switch (body.type) {
    case 'genesis':
      return 'not-next';
    case 'add':
      return isOwner ? whyNotAdd(membership, body) : 'not-allowed';
    case 'revoke':
      return isOwner ? whyNotRevoke(membership, body) : 'not-allowed';
    case 'rotate':
      if (!isOwner) return 'not-allowed';
      return hasExactly(body.keys, namesOf(liveMembers(membership))) ? null : 'wrong-receivers';
    case 'rename':
      if (isOwner) return whyNotLive(membership, body.machine);
      if (body.machine !== signer.machine) return 'not-allowed';
      return signer.ownRenames >= MAX_OWN_RENAMES ? 'too-many' : null;
    case 'rights':
      if (!isOwner) return 'not-allowed';
      return (
        whyNotLive(membership, body.machine) ??
        (body.rights !== 'start' && isLastOwner(membership, body.machine) ? 'last-owner' : null)
      );
  }
}

function whyNotAdd(membership: Membership, body: Extract<EntryBody, { type: 'add' }>): EntryRefusal | null {
  // Ever, not only now: whoever was revoked comes back as somebody else, with other keys.
  if (membership.members.has(body.machine)) return 'machine-known';
  const all = [...membership.members.values()];
  if (all.some(({ signKey, boxKey }) => signKey === body.signKey || boxKey === body.boxKey)) return 'key-known';
  return liveMembers(membership).length >= MAX_MACHINES ? 'too-many' : null;
}

function whyNotRevoke(membership: Membership, body: Extract<EntryBody, { type: 'revoke' }>): EntryRefusal | null {
  const why = whyNotLive(membership, body.machine);
  if (why !== null) return why;
  // It would know the key that it makes for those who stay. It also means that an owner is always left.
  if (body.machine === body.by) return 'own-revocation';
  const rest = liveMembers(membership).filter(({ machine }) => machine !== body.machine);
  return hasExactly(body.keys, namesOf(rest)) ? null : 'wrong-receivers';
}

function whyNotLive(membership: Membership, machine: MachineId): EntryRefusal | null {
  const member = membership.members.get(machine);
  if (member === undefined) return 'unknown-machine';
  return member.revokedHeight === null ? null : 'machine-revoked';
}

function isLastOwner(membership: Membership, machine: MachineId): boolean {
  return liveMembers(membership).every((member) => member.machine === machine || member.rights !== 'start');
}

const namesOf = (members: readonly Member[]): readonly MachineId[] => members.map(({ machine }) => machine);

function hasExactly(keys: Readonly<Record<string, string>>, machines: readonly MachineId[]): boolean {
  return Object.keys(keys).length === machines.length && machines.every((machine) => Object.hasOwn(keys, machine));
}

function ownRenamesAfter({ members }: Membership, { by, machine }: Extract<EntryBody, { type: 'rename' }>): number {
  const before = members.get(machine)?.ownRenames ?? 0;
  return by === machine ? before + 1 : before;
}

/** The state after an entry that may be written. */
export function changed(membership: Membership, { body, hash }: Pick<MembershipEntry, 'body' | 'hash'>): Membership {
  const members = new Map(membership.members);
  const set = (machine: MachineId, change: Partial<Member>) => {
    const member = members.get(machine);
    if (member !== undefined) members.set(machine, { ...member, ...change });
  };
  let { generation, keyHash } = membership;
  const height = membership.height + 1;
  switch (body.type) {
    case 'add': {
      const { machine, signKey, boxKey, rights, label, atMs } = body;
      members.set(machine, {
        machine,
        signKey,
        boxKey,
        rights,
        label,
        addedAtMs: atMs,
        addedHeight: height,
        revokedHeight: null,
        ownRenames: 0,
      });
      break;
    }
    case 'rename':
      set(body.machine, { label: body.label, ownRenames: ownRenamesAfter(membership, body) });
      break;
    case 'rights':
      set(body.machine, { rights: body.rights });
      break;
    case 'revoke':
    case 'rotate':
      if (body.type === 'revoke') set(body.machine, { revokedHeight: height });
      generation++;
      keyHash = body.keyHash;
      break;
    case 'genesis':
      throw new Error('a chain has one genesis');
  }
  const entries = new Map(membership.entries).set(hash, { height, generation });
  return { ...membership, head: hash, height, generation, keyHash, members, entries };
}
