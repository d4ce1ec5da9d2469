import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { cleanName } from '../src-shared/clean-text.ts';
import { SYSTEM_CLOCK } from '../src-shared/client.ts';
import { MachineId, type RunId } from '../src-shared/ids.ts';
import { RefusalError } from '../src-shared/refusal.ts';
import type { Settings } from '../src-shared/settings.ts';
import { terminalPalette } from '../src-shared/terminal-palettes.ts';
import { cleanEnv } from './child-env.ts';
import { claudeAdapter } from './engine/adapters/claude.ts';
import { ClaudeProbe } from './engine/adapters/claude-probe.ts';
import { echoAdapter } from './engine/adapters/echo.ts';
import { ptyAdapter } from './engine/adapters/pty.ts';
import { Children } from './engine/children.ts';
import type { OperationHandlers } from './engine/connection.ts';
import { Engine } from './engine/engine.ts';
import { FileFinder } from './engine/files.ts';
import { type SpawnPtyHost, startPtyHost } from './engine/pty-host/pty-host-client.ts';
import { startScreens } from './engine/screen/screen.ts';
import type { TerminalColors } from './engine/screen/screen-colors.ts';
import { connectTo, lockEngine } from './engine-lock.ts';
import { pageFolder } from './entry-path.ts';
import { KeybindingsFile } from './keybindings-file.ts';
import { LocalServer, serverOperations } from './local-server.ts';
import type { Logger } from './logger.ts';
import { adoptLoginEnv, isFromTerminal } from './login-env.ts';
import { Machines } from './machines/machines.ts';
import { RemoteDriving } from './machines/remote-driving.ts';
import { type Paths, preparePaths } from './paths.ts';
import { type KeyRing, Secrets } from './secrets.ts';
import { SettingsFile } from './settings-file.ts';
import { openStore, type Store } from './store/store.ts';
import { streamWire } from './stream-wire.ts';
import type { StartSyncPart } from './sync/sync-context.ts';

export interface StartOptions {
  readonly paths: Paths;
  readonly version: string;
  readonly logger: Logger;
  /** The two ways to run the process that holds the ptys: Electron's utility process, or a fork of plain Node. */
  readonly spawnPtyHost: SpawnPtyHost;
  readonly keyRing: KeyRing;
  /** What opens this machine's keys where they are sealed with a passphrase; null: none was given. */
  readonly passphrase: string | null;
  /** Something that the user should know and that is nobody's request. */
  readonly onNotice: (message: string) => void;
  /** A client asks this engine to end. Absent where something else decides that: the app. */
  readonly onStopAsked?: () => void;
}

export interface RunningEngine {
  readonly engine: Engine;
  readonly settings: SettingsFile;
  readonly keybindings: KeybindingsFile;
  /** Starts the local HTTP server, if the settings want one; resolves when it listens, or will not. Its packages take a moment to load. */
  startServer(): Promise<void>;
  /** Goes on syncing with the user's other machines, where this one is in a workspace. */
  startMachines(): Promise<void>;
  /** The computer is about to sleep, or has woken: the user's other machines are told, and reached again at once. */
  sleep(): Promise<void>;
  wake(): void;
  /** Ends every program and releases the data folder. */
  stop(): Promise<void>;
}

export type Obtained =
  /** This process is the engine now. */
  | ({ readonly kind: 'here' } & RunningEngine)
  /** Another process is: `socket` is connected to it, and `connect` makes further connections. */
  | { readonly kind: 'there'; readonly socket: Socket; connect(): Promise<Socket> };

/** The engine of this data folder: the one that runs already, else one in this process [engine-1]. */
export async function obtainEngine(options: StartOptions): Promise<Obtained> {
  const { paths, logger } = options;
  preparePaths(paths);
  /** Connected while the engine was still loading. */
  const waiting: Socket[] = [];
  let engine: Engine | null = null;
  const serve = (socket: Socket) => {
    if (engine === null) waiting.push(socket);
    else engine.attachWire(streamWire(socket), { isLocal: true, road: 'socket' });
  };
  const lock = await lockEngine(paths, {
    onConnection: serve,
    onError: (error) => logger.error('listening failed', { error }),
  });
  if (lock.kind === 'taken') return { kind: 'there', socket: lock.socket, connect: () => connectOrThrow(paths.socket) };
  try {
    const running = await startEngine(options);
    engine = running.engine;
    for (const socket of waiting.splice(0)) serve(socket);
    const stop = async () => {
      await running.stop();
      await lock.release();
    };
    return { kind: 'here', ...running, stop };
  } catch (error) {
    for (const socket of waiting) socket.destroy();
    await lock.release();
    throw error;
  }
}

async function connectOrThrow(path: string): Promise<Socket> {
  const socket = await connectTo(path);
  if (socket === null) throw new Error(`No engine listens at ${path}.`);
  return socket;
}

/** Opened in this order, closed in the opposite one, also when a later one cannot be opened. */
class Opened {
  readonly #closers: (() => Promise<void> | void)[] = [];
  add<T>(opened: T, close: (opened: T) => Promise<void> | void): T {
    this.#closers.push(() => close(opened));
    return opened;
  }
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

async function startEngine(options: StartOptions): Promise<RunningEngine> {
  const opened = new Opened();
  try {
    return await openAll(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openAll(
  { paths, version, logger, spawnPtyHost, keyRing, passphrase, onNotice, onStopAsked }: StartOptions,
  opened: Opened,
): Promise<RunningEngine> {
  const onProblem = (message: string, error?: unknown) => logger.error('engine problem', { reason: message, error });
  // Yjs takes a moment to load: while the store's threads open the log.
  const loadingDocuments = import('./sync/documents/documents.ts');
  const store = opened.add(await openStore({ file: paths.database, onProblem: onNotice }), (it) => it.close());
  if (store.recovered !== null) onNotice(store.recovered.message);
  const identity = await Identity.open(store);
  const secrets = await Secrets.open(paths.secretsFile, keyRing);

  let engine: Engine | null = null;
  let server: LocalServer | null = null;
  let machines: Machines | null = null;
  const onFileError = (error: unknown) => logger.error('a settings file cannot be read', { error });
  const settings: SettingsFile = opened.add(
    await SettingsFile.open(paths.settingsFile, {
      onChange: (changed) => {
        probe.forget();
        screens.setColors(colorsOf(changed));
        engine?.broadcast({ type: 'settings:changed', settings: changed });
        void server?.follow();
        tellFollows();
        machines?.follow().catch((error: unknown) => onProblem('the machines could not follow the settings', error));
      },
      onError: onFileError,
    }),
    (it) => it.close(),
  );
  const keybindings = opened.add(
    await KeybindingsFile.open(paths.keybindingsFile, {
      onChange: (bindings) => engine?.broadcast({ type: 'keybindings:changed', bindings: [...bindings] }),
      onError: onFileError,
    }),
    (it) => it.close(),
  );

  const screens = opened.add(
    startScreens({ colors: colorsOf(settings.settings), onProblem: (message) => onProblem(message) }),
    (it) => it.stop(),
  );
  const ptyHost = opened.add(startPtyHost(spawnPtyHost), (it) => it.stop(PTY_HOST_GRACE_MS));
  const childEnv = () => cleanEnv(process.env);
  const loginEnv = opened.add(readEnvOnce(settings.settings, onNotice), (it) => it.stop());
  const claude = {
    settings: () => claudeSettings(settings.settings),
    apiKey: async () => secrets.apiKey,
    clientApp: `baton/${version}`,
  };
  const probe = new ClaudeProbe({ ...claude, childEnv });
  const files = new FileFinder();

  const { Documents } = await loadingDocuments;
  const documents = await Documents.open({ store, clock: SYSTEM_CLOCK, onProblem });
  const machineName = () => cleanName(settings.settings['machine.name']) || hostname();
  /** The others show who follows what: they learn what this machine wants in general as they do what was chosen. */
  const tellFollows = () => {
    documents.setFollowsOthers(identity.machineId, settings.settings['machines.followOthers']).catch((error: unknown) => {
      onProblem('what this machine follows could not be kept', error);
    });
  };
  const startDocuments: StartSyncPart = async (context) => {
    const { DocumentSync } = await import('./sync/documents/document-sync.ts');
    if (engine === null) throw new Error('documents are synced for an engine');
    tellFollows();
    return new DocumentSync({ context, documents, sessions: engine });
  };
  const driving = new RemoteDriving({ store, engine: () => engine, settings: () => settings.settings, onProblem });
  const startReplication: StartSyncPart = async (context, onAbout) => {
    const { replication } = await import('./sync/logs/replication.ts');
    if (engine === null) throw new Error('logs are replicated for an engine');
    const about = () => ({
      name: machineName(),
      version,
      platform: process.platform,
      allows: settings.settings['machines.allow'],
    });
    return replication({ engine, store, about, onNotice })(context, onAbout);
  };
  const hostedSessions = () => engine?.hosted.size ?? 0;
  machines = new Machines({
    store,
    logger,
    keyRing,
    passphrase,
    onNotice,
    onProblem,
    keysFile: paths.machineKeysFile,
    dataFolder: paths.data,
    settings: () => settings.settings,
    setSettings: (changes) => settings.set({ changes }),
    machineId: () => identity.machineId,
    renewMachineId: () => identity.renew(),
    machineName,
    about: () => ({ state: 'up', version, platform: process.platform, sessions: hostedSessions(), allows: 'start' }),
    // What runs while this machine is in a workspace, in the order in which it is started.
    parts: () => [startDocuments, startReplication, driving.start],
    broadcast: (message) => engine?.broadcast(message),
  });

  engine = await Engine.open({
    store,
    documents,
    screens,
    adapters: {
      pty: ptyAdapter(ptyHost, { shellIntegrationFolder: join(paths.cache, 'shell'), version }),
      claude: claudeAdapter(claude),
      echo: echoAdapter,
    },
    children: new Children(store),
    machine: () => ({ machineId: identity.machineId, name: machineName() }),
    envReady: () => loginEnv.ready,
    childEnv: (runId: RunId) => ({ ...childEnv(), BATON_SESSION_ID: runId, BATON_SOCKET: paths.socket }),
    onProblem,
    version,
    home: paths.home ?? paths.data,
    operations: {
      ...machineOperations({ settings, keybindings, secrets, probe, files, envReady: () => loginEnv.ready }),
      ...serverOperations(() => ({ engine, server })),
      ...machines.operations,
      ...driving.operations,
      'engine.stop': async () => {
        if (onStopAsked === undefined) {
          throw new RefusalError('not-allowed', 'This engine is part of the open app and ends with it.', 'Quit the app.');
        }
        // Behind the answer.
        setImmediate(onStopAsked);
        return {};
      },
    },
    serverAddress: () => server?.address ?? null,
    clientIdleMs: () => settings.settings['clients.idleMinutes'] * MINUTE_MS,
    quotas: () => ({
      sessionBytes: settings.settings['log.outputQuotaMbPerSession'] * MB,
      totalBytes: settings.settings['log.outputQuotaMbTotal'] * MB,
    }),
  });
  opened.add(engine, (it) => it.stop());
  // Stopped before the engine: what it has published by then is what the others get.
  opened.add(machines, (it) => it.stop());
  server = opened.add(
    new LocalServer({
      engine,
      store,
      logger,
      version,
      pageFolder,
      file: paths.serverFile,
      settings: () => settings.settings,
      onNotice,
    }),
    (it) => it.stop(),
  );
  const [served, syncing] = [server, machines];
  return {
    engine,
    settings,
    keybindings,
    startServer: () => served.follow(),
    startMachines: () => syncing.start(),
    sleep: () => syncing.sleep(),
    wake: () => syncing.wake(),
    stop: () => opened.close(),
  };
}

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;
const PTY_HOST_GRACE_MS = 2_000;

interface MachineParts {
  readonly settings: SettingsFile;
  readonly keybindings: KeybindingsFile;
  readonly secrets: Secrets;
  readonly probe: ClaudeProbe;
  readonly files: FileFinder;
  readonly envReady: () => Promise<void>;
}

/** The machine's share of the one table of operations. */
function machineOperations({ settings, keybindings, secrets, probe, files, envReady }: MachineParts): OperationHandlers {
  return {
    'settings.get': async () => settings.get(),
    'settings.set': (params) => settings.set(params),
    'keybindings.get': async () => keybindings.get(),
    'keybindings.set': (params) => keybindings.set(params),
    'claude.check': () => envReady().then(() => probe.check()),
    'claude.models': () => envReady().then(() => probe.models()),
    'claude.apiKey': async () => secrets.state(),
    'claude.setApiKey': async (params) => {
      const kept = await secrets.setApiKey(params);
      probe.forget();
      return kept;
    },
    'files.complete': (params, { signal }) => files.complete(params, signal),
  };
}

/** Once for each process: whoever waits for it waits at the first session only. */
function readEnvOnce(settings: Settings, onNotice: (message: string) => void) {
  const isPoor = process.platform !== 'win32' && !isFromTerminal(process.env);
  const stopping = new AbortController();
  const wish = { env: process.env, signal: stopping.signal, onNotice };
  const ready = isPoor && settings['terminal.loginEnvironment'] ? adoptLoginEnv(wish) : Promise.resolve();
  return { ready, stop: () => stopping.abort() };
}

/** What a program hears when it asks for colours. Where the window follows the system, the answer is the dark one's. */
function colorsOf(settings: Settings): TerminalColors {
  const theme = settings['appearance.theme'] === 'light' ? 'light' : 'dark';
  const { foreground, background, cursor, ansi } = terminalPalette(
    settings['terminal.palette'],
    theme,
    settings['terminal.palettes'],
  );
  return { foreground, background, cursor, palette: ansi };
}

function claudeSettings(settings: Settings) {
  return {
    executable: settings['claude.executable'],
    apiKeyHelper: settings['claude.apiKeyHelper'],
    baseUrl: settings['claude.baseUrl'],
    model: settings['claude.model'],
    options: settings['claude.options'],
  };
}

/** A random id: hardware ids are personal data. It is another one once this machine has left a workspace. */
class Identity {
  readonly #store: Store;
  #machineId: MachineId;

  private constructor(store: Store, machineId: MachineId) {
    this.#store = store;
    this.#machineId = machineId;
  }

  static async open(store: Store): Promise<Identity> {
    const kept = MachineId.safeParse(await store.getFact(MACHINE_ID));
    const identity = new Identity(store, kept.success ? kept.data : newMachineId());
    if (!kept.success) await store.setFact(MACHINE_ID, identity.machineId);
    return identity;
  }

  get machineId(): MachineId {
    return this.#machineId;
  }

  async renew(): Promise<void> {
    this.#machineId = newMachineId();
    await this.#store.setFact(MACHINE_ID, this.#machineId);
  }
}

const MACHINE_ID = 'machineId';
const newMachineId = (): MachineId => MachineId.parse(uuidv7());
