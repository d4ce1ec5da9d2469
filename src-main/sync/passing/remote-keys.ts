import type { Clock } from '../../../src-shared/client.ts';
import type { Epoch, MachineId, RunId } from '../../../src-shared/ids.ts';
import { MAX_KEYS_BYTES, type PeerDeed } from '../../../src-shared/peer-protocol.ts';
import type { Peers } from './peers.ts';

/** Typed bytes that wait for the line to one machine; a large paste. */
export const MAX_KEYS_WAITING_BYTES = 8 * 1024 * 1024;
/** A piece that the relay had no room for goes again after a moment. */
const RETRY_MS = 250;
const MAX_TRIES = 40;

type Keys = Extract<PeerDeed, { type: 'keys' }>;
type Place = Pick<Keys, 'clientId'> & { readonly runId: RunId; readonly epoch: Epoch; readonly machineId: MachineId };

interface KeysOptions {
  readonly peers: Pick<Peers, 'isOnline' | 'isFresh' | 'fresh' | 'pass' | 'send'>;
  readonly clock: Clock;
  /** Some of what was typed will not arrive, and why. */
  readonly onLost: (runId: RunId, machine: MachineId, why: 'away' | 'too-much') => void;
}

/**
 * Typed bytes on their way to other machines: at once where nothing is in front of them, else in order behind it; each at most once.
 * What is large goes piece by piece, as the line has room.
 */
export class RemoteKeys {
  readonly #options: KeysOptions;
  readonly #waiting = new Map<MachineId, { readonly pieces: Keys[]; bytes: number }>();

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  type({ runId, epoch, clientId, machineId }: Place, data: Uint8Array): void {
    const { peers, onLost } = this.#options;
    if (!peers.isOnline(machineId)) {
      onLost(runId, machineId, 'away');
      return;
    }
    const waiting = this.#waiting.get(machineId);
    const keys = (piece: Uint8Array): Keys => ({ type: 'keys', runId, epoch, clientId, data: piece });
    if (waiting === undefined && data.byteLength <= MAX_KEYS_BYTES && peers.isFresh(machineId)) {
      if (data.byteLength > 0) peers.pass(machineId, keys(data));
      return;
    }
    if ((waiting?.bytes ?? 0) + data.byteLength > MAX_KEYS_WAITING_BYTES) {
      onLost(runId, machineId, 'too-much');
      return;
    }
    const lane = waiting ?? { pieces: [], bytes: 0 };
    for (let at = 0; at < data.byteLength; at += MAX_KEYS_BYTES) {
      lane.pieces.push(keys(data.slice(at, at + MAX_KEYS_BYTES)));
    }
    lane.bytes += data.byteLength;
    if (waiting !== undefined) return;
    this.#waiting.set(machineId, lane);
    void this.#work(machineId, lane.pieces, (bytes) => {
      lane.bytes -= bytes;
    });
  }

  async #work(machineId: MachineId, pieces: Keys[], onGone: (bytes: number) => void): Promise<void> {
    for (let next = pieces[0]; next !== undefined; next = pieces[0]) {
      if (!(await this.#deliver(machineId, next))) {
        // What comes behind a hole would be another text.
        this.#options.onLost(next.runId, machineId, 'away');
        break;
      }
      pieces.shift();
      onGone(next.data.byteLength);
    }
    this.#waiting.delete(machineId);
  }

  /** False: it is not known to have left, and must not be sent twice. */
  async #deliver(machineId: MachineId, keys: Keys): Promise<boolean> {
    const { peers, clock } = this.#options;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!(await peers.fresh(machineId))) return false;
      const delivery = await peers.send(machineId, keys);
      if (delivery !== 'missed') return delivery === 'reached';
      if (!peers.isOnline(machineId)) return false;
      await new Promise<void>((resolve) => void clock.setTimer(resolve, RETRY_MS));
    }
    return false;
  }
}
