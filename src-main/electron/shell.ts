import { app, Menu, nativeTheme, powerMonitor, session } from 'electron';
import { RunSessionClient } from '../../src-shared/client.ts';
import { ClientId, InputId, type RunId } from '../../src-shared/ids.ts';
import { type BoundKey, type CommandId, resolveKeymap, SHOW_SESSION } from '../../src-shared/keymap.ts';
import { specOf } from '../../src-shared/new-session.ts';
import type { HostMessage } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { Settings } from '../../src-shared/settings.ts';
import { readJsonc } from '../jsonc-file.ts';
import type { Logger } from '../logger.ts';
import type { Paths } from '../paths.ts';
import { readSettings } from '../settings-file.ts';
import { BATON_VERSION } from '../version.ts';
import type { StartRequest } from './app-link.ts';
import { appMenu } from './app-menu.ts';
import type { CrashGuard } from './crash-guard.ts';
import { EngineDoor } from './engine-door.ts';
import { systemKeyRing } from './key-ring.ts';
import { Notifier } from './notifier.ts';
import { denyEverything, servePage } from './page-scheme.ts';
import { spawnPtyHostUtility } from './pty-host-utility.ts';
import { Quitting } from './quitting.ts';
import { shellOperations } from './shell-operations.ts';
import { BatonTray } from './tray.ts';
import type { TrayAction, TrayState } from './tray-menu.ts';
import { tellAboutTray } from './tray-notice.ts';
import { Windows } from './windows.ts';

export interface ShellOptions {
  readonly paths: Paths;
  readonly logger: Logger;
  readonly crashGuard: CrashGuard;
  /** Nothing in it is the user's: it ends with its last window, without asking. */
  readonly isDemo: boolean;
  /** Where the page is served from while it is being worked on. */
  readonly devServer: string | undefined;
}

const isMac = process.platform === 'darwin';

/** The desktop shell: windows, menus, tray, notices and the way out, around the engine. It watches the engine as any client does. */
export class Shell {
  readonly #options: ShellOptions;
  readonly #door: EngineDoor;
  readonly #client: RunSessionClient;
  readonly #windows: Windows;
  readonly #quitting: Quitting;
  readonly #notifier: Notifier;
  #tray: BatonTray | null = null;
  #settings: Settings;
  #bindings: readonly BoundKey[] = resolveKeymap(isMac, []).bindings;
  #engine: TrayState['engine'] = null;
  #machines: TrayState['machines'] = null;

  /** Resolves when windows are open and the engine runs; rejects, with a message for people, when there can be no engine. */
  static async start(options: ShellOptions): Promise<Shell> {
    // The engine has them too, but a window needs its colour before the engine is up.
    const { settings } = readSettings(await readJsonc(options.paths.settingsFile));
    nativeTheme.themeSource = settings['appearance.theme'];
    servePage(session.defaultSession);
    denyEverything(session.defaultSession);
    const shell = new Shell(options, settings);
    shell.#makeMenu();
    await shell.#windows.restore();
    await shell.#door.open();
    shell.#follow();
    return shell;
  }

  private constructor(options: ShellOptions, settings: Settings) {
    const { paths, logger, crashGuard, isDemo, devServer } = options;
    this.#options = options;
    this.#settings = settings;
    this.#door = new EngineDoor({
      paths,
      version: BATON_VERSION,
      logger,
      spawnPtyHost: spawnPtyHostUtility,
      keyRing: systemKeyRing,
      passphrase: null,
      onNotice: (message) => this.tell('problem', message),
      onServing: () => this.#readFacts().catch(crashGuard.bug),
    });
    this.#windows = new Windows({
      file: `${paths.data}/windows.json`,
      isDemo,
      devServer,
      attachPage: (page, tap) => this.#door.attachPage(page, tap),
      handlersFor: (window) =>
        shellOperations(window, {
          paths,
          onNewWindow: () => this.#windows.openNew(),
          onQuit: () => app.quit(),
          onShown: () => this.#dismissSeen(),
        }),
      greeting: environment,
      onBug: crashGuard.bug,
      onFocusChanged: () => this.#dismissSeen(),
      onAllClosed: (isFirstTime) => this.#handleAllClosed(isFirstTime),
    });
    this.#client = new RunSessionClient({
      connect: () => this.#door.connect(),
      clientId: ClientId.parse(crypto.randomUUID()),
      kind: 'window',
      name: 'desktop shell',
    });
    this.#notifier = new Notifier({
      windows: this.#windows,
      settings: () => this.#settings,
      stateOf: async (runId) => (await this.#client.call('session.get', { runId })).state,
      onBug: crashGuard.bug,
    });
    this.#quitting = new Quitting({
      windows: this.#windows,
      ownSessions: () => (this.#door.isOwn ? this.#sessions() : []),
      confirms: () => this.#settings['window.confirmQuit'] && !isDemo,
      stop: () => this.#stop(),
      onBug: crashGuard.bug,
    });
  }

  /** Without asking. */
  quit(): Promise<void> {
    return this.#quitting.leave();
  }

  /** Tells the user something inside the window. */
  tell(kind: 'problem' | 'hint', title: string, body: string | null = null): void {
    const short = { title: title.slice(0, 256), body: body?.slice(0, 1024) ?? null };
    this.#windows.current()?.send({ type: 'shell:notice', kind, runId: null, ...short });
  }

  /** What a start of the app, another start or a link asks for. */
  async handle(request: StartRequest): Promise<void> {
    if (request.is === 'show') {
      this.#windows.show();
      return;
    }
    await this.#client.ready();
    if (request.is === 'folder') {
      const spec = specOf({ kind: 'pty', cwd: request.path }, this.#settings);
      const inputId = InputId.parse(crypto.randomUUID());
      const { session: created } = await this.#client.call('session.create', { inputId, spec, title: null });
      this.#showSession(created.runId);
    } else if (this.#client.sessions.has(request.runId)) this.#showSession(request.runId);
    else {
      this.#windows.show();
      this.tell('hint', 'That link leads to a session that is not here.');
    }
  }

  #follow(): void {
    this.#client.onSessions((sessions) => this.#handleSessions(sessions));
    this.#client.onMessage((message) => this.#handleMessage(message));
    this.#client.onConnection(({ is }) => {
      if (is === 'live') this.#readFacts().catch(this.#options.crashGuard.bug);
      else this.#engine = null;
      this.#tray?.changed();
    });
    if (this.#client.connection.is === 'live') this.#readFacts().catch(this.#options.crashGuard.bug);
    this.#handleSessions(this.#client.sessions);
    this.#makeTray();
    nativeTheme.on('updated', () => this.#windows.recolour());
    app.on('accessibility-support-changed', () => this.#windows.send(environment()));
    app.on('activate', () => this.#windows.show());
    powerMonitor.on('shutdown', () => void this.quit());
    powerMonitor.on('suspend', () => void this.#door.sleep().catch(this.#options.crashGuard.bug));
    powerMonitor.on('resume', () => void this.#door.wake().catch(this.#options.crashGuard.bug));
  }

  #sessions(): SessionSummary[] {
    return [...this.#client.sessions.values()];
  }

  #handleSessions(sessions: ReadonlyMap<RunId, SessionSummary>): void {
    this.#notifier.look(sessions);
    this.#tray?.changed();
  }

  #handleMessage(message: HostMessage): void {
    if (message.type === 'settings:changed') {
      const read = Settings.safeParse(message.settings);
      if (read.success) this.#apply(read.data);
    } else if (message.type === 'keybindings:changed') {
      this.#bindings = resolveKeymap(isMac, message.bindings).bindings;
      this.#makeMenu();
    } else if (message.type === 'machines:changed') {
      const { type: _, ...machines } = message;
      this.#machines = machines;
      this.#tray?.changed();
    } else if (message.type === 'session:notice') {
      const session = this.#client.sessions.get(message.runId);
      if (session !== undefined) this.#notifier.hear(session, message.title, message.body);
    }
  }

  async #readFacts(): Promise<void> {
    const [{ settings }, { bindings }, { pid, startedAt, port }, machines] = await Promise.all([
      this.#client.call('settings.get', {}),
      this.#client.call('keybindings.get', {}),
      this.#client.call('engine.status', {}),
      this.#client.call('machines.list', {}),
    ]);
    this.#apply(settings);
    this.#bindings = resolveKeymap(isMac, bindings).bindings;
    this.#makeMenu();
    this.#engine = { pid, startedAt: new Date(startedAt), isOwn: this.#door.isOwn, port };
    this.#machines = machines;
    this.#tray?.changed();
  }

  #apply(settings: Settings): void {
    this.#settings = settings;
    nativeTheme.themeSource = settings['appearance.theme'];
    this.#windows.setZoom(settings['appearance.zoom']);
  }

  #makeTray(): void {
    const stateNow = (): TrayState => ({ engine: this.#engine, sessions: this.#sessions(), machines: this.#machines });
    try {
      this.#tray = new BatonTray(stateNow, (action) => this.#act(action));
    } catch (error) {
      // Everything that it offers is in the window too.
      this.#options.logger.warn('there is no tray here', { error });
    }
  }

  #makeMenu(): void {
    const inFront = () => this.#windows.focused()?.browserWindow.webContents;
    const template = appMenu({
      isMac,
      bindings: this.#bindings,
      run: (command) => this.#run(command),
      onReload: () => inFront()?.reload(),
      onToggleDevTools: () => inFront()?.toggleDevTools(),
    });
    Menu.setApplicationMenu(Menu.buildFromTemplate(template));
    app.dock?.setMenu(
      Menu.buildFromTemplate([
        { label: 'New terminal', click: () => this.#act({ do: 'new-terminal' }) },
        { label: 'New Claude session', click: () => this.#act({ do: 'new-claude' }) },
      ]),
    );
  }

  /** A command of the menu: the page's, but for what there has to be without a page. */
  #run(command: CommandId): void {
    if (command === 'app.quit') app.quit();
    else if (command === 'window.new') this.#windows.openNew();
    else if (command === 'window.close') this.#windows.focused()?.browserWindow.close();
    else (this.#windows.focused() ?? this.#windows.show()).send({ type: 'shell:command', command, runId: null });
  }

  #act(action: TrayAction): void {
    switch (action.do) {
      case 'new-terminal':
      case 'new-claude': {
        const command: CommandId = action.do === 'new-claude' ? 'session.newClaude' : 'session.newTerminal';
        this.#windows.show().send({ type: 'shell:command', command, runId: null });
        return;
      }
      case 'add-machine':
        this.#windows.show().send({ type: 'shell:command', command: 'machines.add' satisfies CommandId, runId: null });
        return;
      case 'relay':
        this.#switchRelay(action.isOn).catch(this.#options.crashGuard.bug);
        return;
      case 'show-session':
        this.#showSession(action.runId);
        return;
      case 'show':
        this.#windows.show();
        return;
      case 'quit':
        app.quit();
    }
  }

  async #switchRelay(isOn: boolean): Promise<void> {
    try {
      await this.#client.call(isOn ? 'relay.start' : 'relay.stop', {});
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      this.tell('problem', error.refusal.message, error.refusal.hint);
    }
  }

  #showSession(runId: RunId): void {
    this.#windows.show(runId).send({ type: 'shell:command', command: SHOW_SESSION, runId });
  }

  #dismissSeen(): void {
    for (const runId of this.#windows.focused()?.visible ?? []) this.#notifier.dismiss(runId);
  }

  #handleAllClosed(isFirstTime: boolean): void {
    if (this.#options.isDemo) void this.quit();
    else if (isFirstTime && !this.#quitting.isUnderWay) tellAboutTray({ hasTray: this.#tray !== null });
  }

  async #stop(): Promise<void> {
    this.#client.stop();
    await this.#door.stop();
    this.#tray?.destroy();
  }
}

function environment(): HostMessage {
  return { type: 'shell:environment', screenReader: app.accessibilitySupportEnabled };
}
