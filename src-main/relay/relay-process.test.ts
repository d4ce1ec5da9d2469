import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { renameMachine, revokeMachine } from '../../src-shared/membership-keys.ts';
import { RELAY_CLOSE } from '../../src-shared/relay-protocol.ts';
import { toHex } from '../../src-shared/seal.ts';
import type { SealedBatch } from '../../src-shared/sealed-batch.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { type RelayClient, RelayProcess } from './relay.fixture.ts';

const STREAM = 'ab'.repeat(16);
/** So often it is killed under load: more where it is asked for. */
const KILLS = Number(process.env.BATON_KILLS ?? 6);

let relay: RelayProcess;
beforeEach(async () => {
  relay = new RelayProcess();
  await relay.start();
});
afterEach(() => relay.dispose());

const enter = async (machine: TestMachine) => (await relay.connect()).enter(machine);

function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: relay.port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject);
  });
}

/** Writes a log as a host does: keeps what it sealed until it is stored, and after each loss asks where the relay stands. */
class Writer {
  readonly sealed: SealedBatch[] = [];
  /** The relay has said that it has so many. */
  acknowledged = 0;
  client: RelayClient | null = null;
  #onAcknowledged: () => void = () => {};
  readonly #machine: TestMachine;

  constructor(machine: TestMachine) {
    this.#machine = machine;
  }

  /** Resolves when the relay has acknowledged so many. */
  acknowledges(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onAcknowledged = () => {
        if (this.acknowledged >= count) resolve();
      };
      this.#onAcknowledged();
    });
  }

  async connect(): Promise<void> {
    this.client = await enter(this.#machine);
    const answer = await this.client.ask({ type: 'stream:read', stream: STREAM });
    const stored = answer.type === 'stream' ? answer.lastSeq : 0;
    expect(stored).toBeGreaterThanOrEqual(this.acknowledged);
    for (const batch of this.sealed.slice(stored)) this.#send(this.client, batch);
  }

  write(count: number): void {
    for (let index = 0; index < count; index++) {
      const batch = this.#machine.seal({ kind: 'log', stream: STREAM }, `event ${this.sealed.length + 1}`);
      this.sealed.push(batch);
      if (this.client !== null) this.#send(this.client, batch);
    }
  }

  #send(client: RelayClient, batch: SealedBatch): void {
    client.append(batch).then(
      (answer) => {
        if (answer.type === 'stored') this.acknowledged = Math.max(this.acknowledged, answer.position);
        this.#onAcknowledged();
      },
      // Cut off: it is sent again after the next connect.
      () => {},
    );
  }
}

/** Follows a log as a replica does: from the last that it has, whatever happens to the connection. */
class Reader {
  readonly frames: string[] = [];
  readonly positions: number[] = [];
  #client: RelayClient | null = null;
  readonly #machine: TestMachine;

  constructor(machine: TestMachine) {
    this.#machine = machine;
  }

  async connect(): Promise<void> {
    this.#collect();
    this.#client = await enter(this.#machine);
    this.#client.follow(STREAM, this.positions.at(-1) ?? 0);
  }

  async has(count: number): Promise<void> {
    const client = this.#client;
    const before = this.positions.length;
    await client?.until(() => before + client.batches(STREAM).length >= count);
    this.#collect();
  }

  #collect(): void {
    for (const { position, frame } of this.#client?.batches(STREAM) ?? []) {
      this.positions.push(position ?? -1);
      this.frames.push(toHex(frame));
    }
    this.#client = null;
  }
}

describe('the relay as a process', () => {
  it('[relay-19] says when it is ready and that it is alive, and ends with code 0 when told', async () => {
    expect(await statusOf('/health')).toBe(200);
    expect(await statusOf('/')).toBe(404);
    const page = new WebSocket(`ws://127.0.0.1:${relay.port}`, { origin: 'https://example.com' });
    const error = await new Promise<Error>((resolve) => page.once('error', resolve));
    expect(error.message).toContain('403');
    expect(await relay.kill('SIGTERM')).toBe(0);
  });

  it('[relay-19] keeps a second relay from using its state', async () => {
    const second = new RelayProcess();
    await expect(second.start('--data', relay.folder)).rejects.toThrow(/another relay is using it/);
    await second.dispose();
  });

  it('[relay-6] carries a log from one machine to two others as it is written', async () => {
    const [a, b, c] = (await testWorkspace('start', 'view')) as [TestMachine, TestMachine, TestMachine];
    const writer = new Writer(a);
    await writer.connect();
    const readers = [new Reader(b), new Reader(c)] as const;
    for (const reader of readers) await reader.connect();
    writer.write(300);
    for (const reader of readers) {
      await reader.has(300);
      expect(reader.frames).toEqual(writer.sealed.map(({ frame }) => toHex(frame)));
    }
  });

  it('[relay-15] loses nothing that it acknowledged, however often it is killed under load', {
    timeout: 30_000 + KILLS * 30_000,
  }, async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const writer = new Writer(a);
    const readers = [new Reader(b), new Reader(c)] as const;
    await writer.connect();
    for (const reader of readers) await reader.connect();
    for (let kill = 0; kill < KILLS; kill++) {
      const { acknowledged } = writer;
      writer.write(50 + kill);
      await writer.acknowledges(acknowledged + 1);
      // Some of these are stored, some are on the way, some have not left.
      writer.write(150);
      await relay.kill();
      await relay.start();
      await writer.connect();
      for (const reader of readers) await reader.connect();
    }
    await writer.acknowledges(writer.sealed.length);
    for (const reader of readers) {
      await reader.has(writer.sealed.length);
      expect(reader.positions).toEqual(writer.sealed.map((_, index) => index + 1));
      expect(reader.frames).toEqual(writer.sealed.map(({ frame }) => toHex(frame)));
    }
  });

  it('[relay-16] gets everything again from the machines when its disk is lost', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const writer = new Writer(a);
    await writer.connect();
    writer.write(20);
    await writer.acknowledges(20);
    await relay.kill();
    for (const file of readdirSync(relay.folder)) rmSync(join(relay.folder, file), { recursive: true });
    await relay.start();
    writer.acknowledged = 0;
    await writer.connect();
    const reader = new Reader(b);
    await reader.connect();
    await reader.has(20);
    expect(reader.positions).toEqual(writer.sealed.map((_, index) => index + 1));
  });

  it('[relay-20] never has what it carries: not on its disk, not in its logs, not in what it sends', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const secret = 'canary-7f3a-the-secret';
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const runId = '019000a0-0000-7000-8000-00000000c0de';
    const stream = a.keyring.streamName('log', runId);
    ofB.follow(stream);
    const renamed = renameMachine(a.membership, a, a.keyring, { machine: a.machine, name: secret }, 1);
    expect(await ofA.outcome({ type: 'chain:append', entry: renamed })).toBe('done');
    a.apply(renamed);
    await ofA.append(a.seal({ kind: 'log', stream }, `output: ${secret}`));
    await ofA.append(a.seal({ kind: 'input', stream }, `typed: ${secret}`));
    await ofA.append(a.seal({ kind: 'document', stream: a.keyring.streamName('document', secret) }, `draft: ${secret}`));
    // What it does not understand it must not quote either.
    ofB.wire.send(new TextEncoder().encode(`garbage with ${secret}`));
    await ofB.closed();
    const frames = [ofA, ofB].flatMap(({ heard }) => heard.map((message) => Buffer.from(JSON.stringify(message, asHex))));
    await relay.kill('SIGTERM');
    const files = readdirSync(relay.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(files.some((file) => file.byteLength > 4096)).toBe(true);
    const keys = [...a.keyring.keys().map(([, key]) => key), a.keys.sign.secretKey, a.keys.box.secretKey, b.keys.box.secretKey];
    const planted = [
      Buffer.from(secret),
      Buffer.from(Buffer.from(secret).toString('hex')),
      Buffer.from(runId),
      Buffer.from(runId.replaceAll('-', ''), 'hex'),
      ...keys.flatMap((key) => [Buffer.from(key), Buffer.from(toHex(key)), Buffer.from(Buffer.from(key).toString('base64'))]),
    ];
    const places = [...files, Buffer.from(relay.log), ...frames];
    expect(relay.log).toContain('malformed frame');
    for (const place of places) for (const each of planted) expect(place.includes(each)).toBe(false);
    // The check itself finds what is there.
    expect(files.some((file) => file.includes(Buffer.from(a.machine)))).toBe(true);
  });

  it('[relay-4] cuts a revoked machine on the spot', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const entry = revokeMachine(a.membership, a, b.machine, 1);
    expect(await ofA.outcome({ type: 'chain:append', entry })).toBe('done');
    expect(await ofB.closed()).toEqual(RELAY_CLOSE.removed);
  });
});

function asHex(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toHex(value) : value;
}
