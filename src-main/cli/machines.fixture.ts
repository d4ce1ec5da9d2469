import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RunSessionClient } from '../../src-shared/client.ts';
import { ClientId } from '../../src-shared/ids.ts';
import type { MachineList } from '../../src-shared/machines.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { entryPath } from '../entry-path.ts';
import { streamWire } from '../stream-wire.ts';
import { CliGround } from './cli.fixture.ts';

/** A verb that goes on while the test does: its lines as they come. */
export class RunningVerb {
  readonly child: ChildProcess;
  stderr = '';
  readonly exit: Promise<number | null>;
  readonly #lines: string[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(ground: CliGround, args: readonly string[]) {
    const child = spawn(process.execPath, [entryPath('cli'), ...args], { env: ground.env, cwd: ground.home, stdio: 'pipe' });
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    child.stdin.on('error', () => {});
    this.exit = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#hasEnded = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  /** The next line, as JSON. */
  async next(): Promise<Record<string, never>> {
    while (this.#lines.length === 0) {
      if (this.#hasEnded) throw new Error(`it ended: ${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return JSON.parse(this.#lines.shift() ?? '');
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }
}

/** A machine of a user: an engine of its own, used by the command line. */
export class MachineGround extends CliGround {
  #client: RunSessionClient | null = null;

  async begin(name: string, settings: Partial<Settings> = {}): Promise<this> {
    mkdirSync(this.folder, { mode: 0o700 });
    writeFileSync(
      join(this.folder, 'settings.json'),
      JSON.stringify({ 'machine.name': name, 'server.enabled': false, ...settings }),
    );
    await this.ok(['server', 'start']);
    this.#client = new RunSessionClient({
      clientId: ClientId.parse(randomUUID()),
      kind: 'test',
      name: 'test',
      connect: () => this.#connect(),
    });
    await this.#client.ready();
    return this;
  }

  get folder(): string {
    return join(this.home, 'b');
  }
  /** Stays over restarts. */
  get client(): RunSessionClient {
    if (this.#client === null) throw new Error('the machine is not started');
    return this.#client;
  }

  async #connect(): Promise<Wire> {
    const socket = connect(join(this.folder, 'run', 'engine.sock'));
    await once(socket, 'connect');
    return streamWire(socket);
  }

  async restart(): Promise<void> {
    await this.ok(['server', 'stop', '--yes']);
    await this.ok(['server', 'start']);
    await this.client.ready();
  }

  verb(...args: string[]): RunningVerb {
    return new RunningVerb(this, args);
  }

  listed(): Promise<MachineList> {
    return this.client.call('machines.list', {});
  }

  /** Waits for a list of machines that is so. */
  until(holds: (list: MachineList) => boolean): Promise<MachineList> {
    return new Promise((resolve, reject) => {
      let ends: readonly (() => void)[] = [];
      const look = (list: MachineList) => {
        if (!holds(list)) return;
        for (const end of ends) end();
        resolve(list);
      };
      const ask = () => this.listed().then(look, reject);
      ends = [
        this.client.onMessage((message) => {
          if (message.type === 'machines:changed') look(message);
        }),
        this.client.onConnection(({ is }) => {
          if (is === 'live') void ask();
        }),
      ];
      void ask();
    });
  }

  override async dispose(): Promise<void> {
    this.#client?.stop();
    await super.dispose();
  }

  /** Lets another one in; gives the digits that both showed. */
  async lets(other: MachineGround, ...options: string[]): Promise<string> {
    const pair = this.verb('pair', '--json', ...options);
    const { joinText } = await pair.next();
    const join = other.verb('join', String(joinText), '--json');
    const [{ digits }, shown] = await Promise.all([pair.next(), join.next()]);
    if (digits !== shown.digits) throw new Error('the digits differ');
    pair.say('y');
    const codes = await Promise.all([pair.exit, join.exit]);
    if (codes.some((code) => code !== 0)) throw new Error(`pairing ended with ${codes}: ${pair.stderr} ${join.stderr}`);
    return String(digits);
  }
}
