import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MessageParts } from '../../src-shared/message-parts.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import {
  creditCost,
  encodeRelayMessage,
  FOLLOW_WINDOW_BYTES,
  type FromRelay,
  handshakeBytes,
  leaseBytes,
  parseFromRelay,
  RELAY_PROTOCOL_VERSION,
  type ToRelay,
} from '../../src-shared/relay-protocol.ts';
import { isSignedBy, randomBytes, sign } from '../../src-shared/seal.ts';
import type { SealedBatch } from '../../src-shared/sealed-batch.ts';
import type { TestMachine } from '../../src-shared/sim/workspace.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { entryPath } from '../entry-path.ts';
import { openSocketWire } from '../socket-wire.ts';

type From<T extends FromRelay['type']> = Extract<FromRelay, { type: T }>;
type Asking = Extract<ToRelay, { ask: number | null }>;
type WithoutAsk<M> = M extends { ask: number | null } ? Omit<M, 'ask'> : never;

/** A machine's end of a connection to a relay, as bare as it can be. Everything that comes is kept in `heard`. */
export class RelayClient {
  readonly heard: FromRelay[] = [];
  closedWith: CloseReason | null = null;
  /** Credit is given back for every stored batch. */
  isCrediting = true;
  /** Only the newest of what came is kept. */
  isForgetful = false;
  relayNonce = new Uint8Array();
  readonly wire: Wire;
  #nextAsk = 1;
  readonly #waiting = new Set<() => void>();
  readonly #parts = new MessageParts();

  constructor(wire: Wire) {
    this.wire = wire;
    wire.onClose = (why) => {
      this.closedWith = why;
      this.#look();
    };
    wire.onFrame = (frame) => {
      const parsed = parseFromRelay(frame);
      const cost = creditCost(parsed);
      if (cost > 0 && this.isCrediting) this.tell({ type: 'credit', bytes: cost });
      if (parsed.type === 'dropped') this.#parts.drop(parsed.lane);
      const message = parsed.type === 'part' ? this.#joined(parsed) : parsed;
      if (message === null) return;
      this.heard.push(message);
      if (this.isForgetful && this.heard.length > 100) this.heard.splice(0, 50);
      this.#look();
    };
  }

  #joined(part: From<'part'>): FromRelay | null {
    const whole = this.#parts.add(part);
    return whole && parseFromRelay(whole);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves when the condition holds; fails when the wire is closed before. */
  until<T>(find: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== undefined && found !== false) resolve(found);
        else if (this.closedWith !== null) reject(new Error(`closed: ${this.closedWith.reason}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async closed(): Promise<CloseReason> {
    await this.until(() => this.closedWith !== null).catch(() => undefined);
    return this.closedWith ?? CLOSE.failed;
  }

  first<T extends FromRelay['type']>(type: T, fits: (message: From<T>) => boolean = () => true): Promise<From<T>> {
    return this.until(() => this.heard.find((message): message is From<T> => message.type === type && fits(message as From<T>)));
  }

  tell(message: ToRelay): void {
    this.wire.send(encodeRelayMessage(message));
  }

  /** The answer, of whatever kind. */
  ask(message: WithoutAsk<Asking>): Promise<FromRelay> {
    const ask = this.#nextAsk++;
    this.tell({ ...message, ask } as ToRelay);
    return this.until(() => this.heard.find((answer) => 'ask' in answer && answer.ask === ask));
  }

  /** In short: the type of the answer, or why it is refused. */
  async outcome(message: WithoutAsk<Asking>): Promise<string> {
    const answer = await this.ask(message);
    return answer.type === 'refused' ? answer.why : answer.type;
  }

  async prove(machine: TestMachine, workspace = machine.membership.workspace): Promise<FromRelay> {
    const { nonce: relayNonce, relayKey } = await this.first('challenge');
    this.relayNonce = relayNonce.slice();
    const machineNonce = randomBytes(32);
    const shake = handshakeBytes({ relayKey, relayNonce, machineNonce, workspace, machine: machine.machine });
    const signature = sign('relay-machine', shake, machine.keys.sign.secretKey);
    const before = this.heard.length;
    const { machine: id } = machine;
    this.tell({ type: 'prove', version: RELAY_PROTOCOL_VERSION, workspace, machine: id, nonce: machineNonce, signature });
    const answer = await this.until(() => this.heard.slice(before).find(({ type }) => type === 'welcome' || type === 'refused'));
    if (answer.type === 'welcome' && !isSignedBy('relay-identity', shake, answer.signature, relayKey)) {
      throw new Error('the relay is not who it says');
    }
    return answer;
  }

  /** Connects a machine; the first one brings the workspace. */
  async enter(machine: TestMachine): Promise<this> {
    let answer = await this.prove(machine);
    if (answer.type === 'refused' && answer.why === 'unknown-workspace') {
      await this.ask({ type: 'found', entries: machine.entries });
      answer = await this.prove(machine);
    }
    this.tell({ type: 'credit', bytes: FOLLOW_WINDOW_BYTES });
    if (answer.type !== 'welcome') throw new Error(`not let in: ${answer.type === 'refused' ? answer.why : answer.type}`);
    return this;
  }

  append({ frame }: Pick<SealedBatch, 'frame'>): Promise<FromRelay> {
    return this.ask({ type: 'batch', frame, release: null });
  }

  appended({ frame }: Pick<SealedBatch, 'frame'>): Promise<string> {
    return this.outcome({ type: 'batch', frame, release: null });
  }

  /** The batches of a stream that have come, in the order in which they came. */
  batches(stream: string): From<'batch'>[] {
    return this.heard.filter((message): message is From<'batch'> => message.type === 'batch' && message.stream === stream);
  }

  follow(stream: string, after = 0, lane: 'watch' | 'rest' = 'watch'): void {
    this.tell({ type: 'follow', stream, after, lane });
  }

  leaseSignature(machine: TestMachine, stream: string, epoch: number, holder = machine.machine): Uint8Array {
    const { relayNonce } = this;
    return sign('lease', leaseBytes({ relayNonce, stream, epoch, holder }), machine.keys.sign.secretKey);
  }
}

/** The relay as a user starts it. */
export class RelayProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-relay-'));
  port = 0;
  /** Everything it has logged, of all its lives. */
  log = '';
  #child: ChildProcess | null = null;
  readonly #clients: RelayClient[] = [];

  async start(...more: string[]): Promise<void> {
    const args = [entryPath('cli'), 'relay', '--port', String(this.port), '--data', this.folder, '--json', ...more];
    const { PATH = '' } = process.env;
    const env = { PATH, BATON_HOME: this.folder, BATON_LOG: 'debug' };
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = (await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(() => Promise.reject(new Error(`the relay did not start: ${this.log}`))),
    ])) as [string];
    const ready: unknown = JSON.parse(line);
    if (typeof ready !== 'object' || ready === null || !('port' in ready)) throw new Error(`not ready: ${line}`);
    this.port = Number(ready.port);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  }

  get #backup(): string {
    return `${this.folder}-backup`;
  }

  /** Keeps its files as they are now. It is killed for that, and started again. */
  async backUp(): Promise<void> {
    await this.kill();
    cpSync(this.folder, this.#backup, { recursive: true });
    await this.start();
  }

  /** It is killed, and started again as it was when it was backed up. */
  async setBack(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
    renameSync(this.#backup, this.folder);
    await this.start();
  }

  async connect(): Promise<RelayClient> {
    const client = new RelayClient(await openSocketWire(`ws://127.0.0.1:${this.port}`));
    this.#clients.push(client);
    return client;
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.wire.close(CLOSE.shuttingDown);
    await this.kill();
    for (const folder of [this.folder, this.#backup]) rmSync(folder, { recursive: true, force: true });
  }
}
