import * as z from 'zod/mini';
import { MachineId } from './ids.ts';

/** What clients are told of the user's other machines, and of letting a new one in. */

/** What a machine may do on the others: look, type and answer, or everything (start sessions, change the membership). */
export const Rights = z.enum(['view', 'type', 'start']);
export type Rights = z.infer<typeof Rights>;

const rank: Readonly<Record<Rights, number>> = { view: 0, type: 1, start: 2 };

/** `needed` is within `rights`. */
export function allows(rights: Rights, needed: Rights): boolean {
  return rank[rights] >= rank[needed];
}

/** RFC 3339. */
const Moment = z.string();

export const MachineName = z.string().check(z.trim(), z.minLength(1), z.maxLength(64));

export const Machine = z.object({
  machineId: MachineId,
  name: z.string(),
  self: z.boolean(),
  /** It is connected to the relay now, as far as this machine knows. */
  online: z.boolean(),
  /** By what it last said of itself; `unknown` until it has said anything, and of others while this machine is not connected itself. */
  state: z.enum(['up', 'asleep', 'quit', 'unknown']),
  /** When it was last known to be connected; null: now, never while this relay knows it, or it is this one. */
  lastSeen: z.nullable(Moment),
  version: z.nullable(z.string()),
  platform: z.nullable(z.string()),
  rights: Rights,
  /** What this machine may do there: the lesser of its own rights and of what that one lets others do, as far as it has said. */
  may: Rights,
  /** How many sessions it hosts. */
  sessions: z.int(),
});
export type Machine = z.infer<typeof Machine>;

export const RelayStatus = z.object({
  /** Where this machine's relay is; null while it has none. */
  url: z.nullable(z.string()),
  /** `off`: no workspace, or no relay. `refused`: for good, until the user has done something; `why` says what happened. */
  state: z.enum(['off', 'connecting', 'live', 'lost', 'refused']),
  since: Moment,
  why: z.nullable(z.string()),
  /** The relay that runs inside this machine's engine; null: it is not switched on. `address`: HOST:PORT for other machines. */
  embedded: z.nullable(z.object({ running: z.boolean(), url: z.string(), address: z.string() })),
  /** It is reached without leaving the local network. */
  lan: z.boolean(),
});
export type RelayStatus = z.infer<typeof RelayStatus>;

export const MachineList = z.object({
  /** Null: this machine is in no workspace. */
  workspace: z.nullable(
    z.object({
      id: z.string(),
      createdAt: Moment,
      /** What keeps this machine's keys from whoever reads the file that they are in. `plain`: nothing but that it is this user's. */
      keys: z.enum(['key-ring', 'passphrase', 'plain']),
    }),
  ),
  /** This one first. */
  machines: z.array(Machine),
  relay: RelayStatus,
});
export type MachineList = z.infer<typeof MachineList>;

/** A pairing that this machine takes part in; one at a time. */
export const PairingState = z.discriminatedUnion('is', [
  z.object({ is: z.literal('none') }),
  z.object({ is: z.literal('offering'), code: z.string(), joinText: z.string(), expiresAt: Moment, rights: Rights }),
  /** The code was entered here, and the other machine has not answered yet. */
  z.object({ is: z.literal('joining') }),
  /** Both machines show digits. `member`: this one decides; `newcomer`: it waits until the person has confirmed on the other one. */
  z.object({
    is: z.literal('compare'),
    digits: z.string(),
    machine: z.nullable(z.object({ machineId: MachineId, name: z.string() })),
    rights: z.nullable(Rights),
    side: z.enum(['member', 'newcomer']),
  }),
  /** `machine`: the other one. */
  z.object({ is: z.literal('done'), machine: z.object({ machineId: MachineId, name: z.string() }) }),
  z.object({ is: z.literal('failed'), reason: z.string(), hint: z.nullable(z.string()) }),
]);
export type PairingState = z.infer<typeof PairingState>;

/** As the joining person gets it: CODE, or CODE@HOST:PORT where the relay is not known there. */
export const JoinText = z.string().check(z.minLength(1), z.maxLength(400));
/** ws:// or wss:// and where; null: the one of the settings. */
export const RelayUrl = z.nullable(
  z.string().check(z.maxLength(300), z.regex(/^wss?:\/\/\S+$/, 'not a ws:// or wss:// address')),
);
