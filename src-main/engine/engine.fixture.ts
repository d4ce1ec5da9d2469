import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttachmentListener, type ClientAttachment, RunSessionClient, SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import { ClientId, InputId, MachineId, type RunId, type Seq } from '../../src-shared/ids.ts';
import type { Refusal } from '../../src-shared/refusal.ts';
import type { SessionSpec, SessionState } from '../../src-shared/session.ts';
import { type Schedule, type Wire, wirePair } from '../../src-shared/wire.ts';
import { openStore, type Store } from '../store/store.ts';
import { Documents } from '../sync/documents/documents.ts';
import type { AdapterFactory } from './adapters/adapter.ts';
import { echoAdapter } from './adapters/echo.ts';
import { ptyAdapter } from './adapters/pty.ts';
import { Children } from './children.ts';
import type { OperationHandlers } from './connection.ts';
import { Engine } from './engine.ts';
import { startPtyHost } from './pty-host/pty-host-client.ts';
import { forkPtyHost } from './pty-host/pty-host-fork.ts';
import { startScreens } from './screen/screen.ts';

export const newInputId = () => InputId.parse(randomUUID());
export const newClientId = () => ClientId.parse(randomUUID());

const COLORS = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: Array<string>(16).fill('#808080') };

export interface Ground {
  readonly engine: Engine;
  readonly store: Store;
  readonly documents: Documents;
  readonly problems: readonly string[];
  /** A client over an in-memory wire; `wires` holds each wire it has had, newest last. */
  connect(options?: { readonly schedule?: Schedule; readonly clientId?: ClientId }): TestClient;
  create(spec: SessionSpec): Promise<RunId>;
  /** Ends the engine as a crash would: nothing is told to anyone, the store is merely closed. A new one opens the same data. */
  crash(): Promise<Ground>;
  dispose(): Promise<void>;
}

export interface TestClient extends RunSessionClient {
  readonly wires: readonly Wire[];
}

/** What runs Claude sessions, and what their children need besides. */
export interface ClaudeParts {
  readonly adapter: AdapterFactory;
  readonly env: () => Record<string, string>;
}

/** An engine with the real store, the real pty host and real screens, in a folder of its own. */
export async function ground(
  folder?: string,
  claude: ClaudeParts = { adapter: echoAdapter, env: () => ({}) },
  operations: OperationHandlers = {},
): Promise<Ground> {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'baton-engine-')));
  const problems: string[] = [];
  const store = await openStore({ file: join(home, 'baton.db') });
  const screens = startScreens({ colors: COLORS });
  const ptyHost = startPtyHost(forkPtyHost);
  const machineId = MachineId.parse(randomUUID());
  const onProblem = (message: string, error?: unknown) => {
    problems.push(`${message} ${error instanceof Error ? error.message : ''}`);
  };
  const documents = await Documents.open({ store, clock: SYSTEM_CLOCK, onProblem });
  const engine = await Engine.open({
    store,
    documents,
    screens,
    adapters: {
      pty: ptyAdapter(ptyHost, { shellIntegrationFolder: join(home, 'shell'), version: '0' }),
      claude: claude.adapter,
      echo: echoAdapter,
    },
    children: new Children(store),
    machine: () => ({ machineId, name: 'here' }),
    envReady: async () => {},
    childEnv: () => ({ PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', PS1: '$ ', ...claude.env() }),
    onProblem,
    version: '0',
    home,
    operations,
    serverAddress: () => null,
    clientIdleMs: () => 300_000,
    quotas: () => ({ sessionBytes: 256 * 1024 * 1024, totalBytes: 1024 * 1024 * 1024 }),
  });
  const clients: RunSessionClient[] = [];
  const closeParts = async () => {
    for (const client of clients) client.stop();
    await ptyHost.stop(500);
    await screens.stop();
    await store.close();
  };
  return {
    engine,
    store,
    documents,
    problems,
    connect: (options = {}) => {
      const client = connectTo(engine, options);
      clients.push(client);
      return client;
    },
    create: async (spec) => (await engine.create(newInputId(), spec, { title: null })).runId,
    crash: async () => {
      // What a killed process leaves unsaid stays unsaid: no session hears that its program has ended.
      for (const session of engine.hosted.values()) session.log.close();
      await closeParts();
      return ground(home, claude, operations);
    },
    dispose: async () => {
      await engine.stop();
      await closeParts();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export function connectTo(
  engine: Pick<Engine, 'attachWire'>,
  options: { readonly schedule?: Schedule; readonly clientId?: ClientId; readonly isLocal?: boolean } = {},
): TestClient {
  const wires: Wire[] = [];
  const client = new RunSessionClient({
    clientId: options.clientId ?? newClientId(),
    kind: 'test',
    name: 'test',
    connect: async () => {
      const [near, far] = wirePair(options.schedule);
      wires.push(near);
      engine.attachWire(far, { isLocal: options.isLocal ?? true, road: 'socket' });
      return near;
    },
  });
  return Object.assign(client, { wires });
}

/** What an attached client has seen, and ways to wait for it. */
export class Watcher implements AttachmentListener {
  readonly events: LogEvent[] = [];
  starts: { after: Seq; screen: string | null }[] = [];
  state: SessionState | null = null;
  attachment: ClientAttachment | null = null;
  refusal: Refusal | null = null;
  /** Acknowledge output by itself, as a terminal that parses at once. */
  acks = true;
  #looks: (() => void)[] = [];

  onStart({ after, screen }: Parameters<AttachmentListener['onStart']>[0]): void {
    this.starts.push({ after, screen: screen?.data ?? null });
    this.events.length = 0;
    this.#look();
  }
  onEvents(events: readonly LogEvent[]): void {
    this.events.push(...events);
    if (this.acks) this.attachment?.parsed(outputOf(events).byteLength);
    this.#look();
  }
  onState(state: SessionState): void {
    this.state = state;
    this.#look();
  }
  onRefused(refusal: Refusal): void {
    this.refusal = refusal;
    this.#look();
  }
  /** Screen and output since the last start, as text. */
  get text(): string {
    return (this.starts.at(-1)?.screen ?? '') + outputOf(this.events).toString();
  }
  /** The end of it: cheap however much there is. */
  get tail(): string {
    const last = this.events.slice(-3);
    return last.length > 0 ? outputOf(last).toString() : (this.starts.at(-1)?.screen ?? '');
  }
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#looks = this.#looks.filter((other) => other !== look);
        resolve();
      };
      this.#looks.push(look);
      look();
    });
  }
  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}

export function watch(
  client: RunSessionClient,
  runId: RunId,
  options: { readonly after?: Seq | null; readonly afterTs?: number; readonly viewport?: { cols: number; rows: number } } = {},
): Watcher {
  const watcher = new Watcher();
  const { after = null, afterTs, viewport = null } = options;
  watcher.attachment = client.attach(runId, { after, afterTs, viewport: () => viewport }, watcher);
  return watcher;
}

export function outputOf(events: readonly { readonly payload: unknown }[]): Buffer {
  return Buffer.concat(events.map(({ payload }) => (payload instanceof Uint8Array ? payload : new Uint8Array())));
}

export const ECHO: SessionSpec = { kind: 'echo', cwd: '/' };
export function pty(command: string | null, args: string[] = [], cwd = '/'): SessionSpec {
  return {
    kind: 'pty',
    command,
    args,
    cwd,
    env: {},
    cols: 80,
    rows: 24,
    term: 'xterm-256color',
    options: {},
    shellIntegration: false,
  };
}
