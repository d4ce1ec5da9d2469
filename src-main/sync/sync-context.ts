import type { Clock } from '../../src-shared/client.ts';
import type { MachineId } from '../../src-shared/ids.ts';
import type { Rights } from '../../src-shared/machines.ts';
import type { Membership } from '../../src-shared/membership.ts';
import type { Signer } from '../../src-shared/membership-keys.ts';
import type { Keyring } from '../../src-shared/seal.ts';
import { type BatchHeader, type SealedBatch, sealBatch } from '../../src-shared/sealed-batch.ts';
import type { Link } from './link/link.ts';

/** What the parts of syncing need of the connection to the relay. */
export type SyncLink = Pick<
  Link,
  'state' | 'onState' | 'onMessage' | 'ask' | 'bulkBytes' | 'append' | 'appendBulk' | 'pass' | 'follow' | 'signLease' | 'retryNow'
>;

/**
 * This machine in its workspace, as replication, driving and documents see it. They hold no keys and no connection of their own, and
 * take time from its clock only, so that a simulation runs them as they are.
 */
export interface SyncContext {
  readonly signer: Signer;
  readonly link: SyncLink;
  /** The newest that is known; another object after each entry. */
  readonly membership: Membership;
  readonly keyring: Keyring;
  /** The chain grew: somebody was added, revoked or renamed, or the key rotated. Returns what ends it. */
  onMembership(listener: () => void): () => void;
  /** For batches that pass without being kept: grows over restarts too and is never given twice. */
  nextPassCounter(): number;
  readonly clock: Clock;
  /** Something went wrong that is nobody's request. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** What a machine says of itself to the others. */
export interface MachineAbout {
  readonly state: 'up' | 'asleep' | 'quit';
  readonly version: string;
  readonly platform: string;
  readonly sessions: number;
  /** What others may do on it at most, whatever their rights. */
  readonly allows: Rights;
}

/** Something that runs while this machine is in a workspace: replication, driving, documents. Stopped in the opposite order of starting. */
export interface SyncPart {
  stop(): Promise<void> | void;
  /** The machine is about to sleep: there may be a moment left, or none. */
  sleep?(): Promise<void>;
  wake?(): void;
  /** What this machine says of itself may be another thing. */
  aboutChanged?(): void;
  /** What is known here of another machine; null: nothing. */
  about?(machine: MachineId): MachineAbout | null;
}

/** `onAbout` is called when what `about` gives is another thing. */
export type StartSyncPart = (context: SyncContext, onAbout: () => void) => SyncPart | Promise<SyncPart>;

/** Seals under what this machine knows now. Throws where the payload is too large for a batch. */
export function seal(
  { signer, membership, keyring }: Pick<SyncContext, 'signer' | 'membership' | 'keyring'>,
  header: Omit<BatchHeader, 'generation' | 'machine' | 'chainHead'>,
  payload: Uint8Array,
): SealedBatch {
  const { generation, head: chainHead } = membership;
  return sealBatch({ ...header, generation, chainHead, machine: signer.machine }, payload, keyring, signer.keys.sign.secretKey);
}
