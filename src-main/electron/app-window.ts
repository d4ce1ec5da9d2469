import { join } from 'node:path';
import { app, BrowserWindow, type MessagePortMain, nativeTheme, screen } from 'electron';
import { ClientId, type RunId } from '../../src-shared/ids.ts';
import { encodeMessage, type HostMessage } from '../../src-shared/protocol.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { OperationHandlers } from '../engine/connection.ts';
import { mainPortWire } from './main-port.ts';
import { isOurPage, pageAddress } from './page-address.ts';
import type { Tap } from './shell-tap.ts';
import { MIN_SIZE, placeOn, type WindowState } from './window-state.ts';

/** The canvas of both themes (src-renderer/theme/tokens.css): a window has it before its page is there, so that nothing flashes. */
const CANVAS = { dark: '#101215', light: '#ffffff' } as const;
/** After its page has loaded. */
const SHOWN_WITHIN_MS = 3_000;
/** Commands for a page that has not come up yet; more than a start brings means that it never will. */
const MAX_EARLY_MESSAGES = 32;

export interface AppWindowOptions {
  readonly state: WindowState;
  readonly isDemo: boolean;
  readonly zoom: number;
  readonly devServer: string | undefined;
  readonly attachPage: (page: Wire, tap: Tap) => Promise<void>;
  readonly handlersFor: (window: AppWindow) => OperationHandlers;
  readonly onBug: (error: unknown) => void;
  /** Its place or its state has changed. */
  readonly onMoved: () => void;
  readonly onFocusChanged: () => void;
  readonly onClosed: (window: AppWindow) => void;
}

/** One window: a page, its wire to the engine, and what the page has told the shell. */
export class AppWindow {
  readonly id: string;
  readonly browserWindow: BrowserWindow;
  readonly #options: AppWindowOptions;
  #wire: Wire | null = null;
  /** null until the page has come up and said what it shows; messages wait until then. */
  #visible: ReadonlySet<RunId> | null = null;
  #early: HostMessage[] = [];
  #state: WindowState;

  constructor(options: AppWindowOptions) {
    this.#options = options;
    this.id = options.state.id;
    this.#state = options.state;
    const { bounds, isMaximized, isFullScreen } = options.state;
    this.browserWindow = new BrowserWindow({
      ...placeOn(
        bounds,
        screen.getAllDisplays().map(({ workArea }) => workArea),
      ),
      minWidth: MIN_SIZE.width,
      minHeight: MIN_SIZE.height,
      title: options.isDemo ? 'Baton (Demo)' : 'Baton',
      show: false,
      // Said only where it is so: an explicit `false` takes the full-screen button away on macOS.
      ...(isFullScreen ? { fullscreen: true } : {}),
      backgroundColor: canvas(),
      // Out of the way until Alt is tapped: all of it is in the palette too.
      autoHideMenuBar: true,
      webPreferences: {
        preload: join(app.getAppPath(), 'out', 'preload', 'preload.cjs'),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        // It would fetch dictionaries from the network.
        spellcheck: false,
        additionalArguments: options.isDemo ? ['--baton-demo'] : [],
      },
    });
    if (isMaximized) this.browserWindow.maximize();
    this.#follow();
    void this.load();
  }

  /** As it is to come back. */
  get state(): WindowState {
    return this.#state;
  }

  /** Sessions that the page shows. */
  get visible(): ReadonlySet<RunId> {
    return this.#visible ?? new Set();
  }

  showed(runIds: readonly RunId[]): void {
    this.#visible = new Set(runIds);
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.send(message);
  }

  async load(): Promise<void> {
    try {
      await this.browserWindow.loadURL(pageAddress(this.id, this.#options.devServer));
    } catch (error) {
      if (this.browserWindow.isDestroyed()) return;
      this.#options.onBug(error);
      // An empty window can at least be reloaded from its menu; a hidden one cannot.
      this.browserWindow.show();
    }
  }

  /** Says something to the page; kept until the page has come up. */
  send(message: HostMessage): void {
    if (this.#visible !== null && this.#wire !== null) this.#wire.send(encodeMessage(message));
    else if (this.#early.length < MAX_EARLY_MESSAGES) this.#early.push(message);
  }

  show(): void {
    if (this.browserWindow.isMinimized()) this.browserWindow.restore();
    this.browserWindow.show();
    this.browserWindow.focus();
  }

  /** The page has loaded (again) and brings the port of its wire. An earlier one is the last page's. */
  takePort(port: MessagePortMain, greeting: HostMessage): void {
    this.#visible = null;
    const page = mainPortWire(port);
    this.#wire = page;
    page.send(encodeMessage(greeting));
    const { attachPage, handlersFor, onBug } = this.#options;
    attachPage(page, { clientId: ClientId.parse(this.id), handlers: handlersFor(this), onBug }).catch((error: unknown) => {
      onBug(error);
      page.close({ code: 4503, reason: 'the engine cannot be reached' });
    });
  }

  #follow(): void {
    const { browserWindow: window } = this;
    const { onFocusChanged, onClosed, isDemo, devServer, zoom } = this.#options;
    // Where the first frame does not come (a graphics process in trouble), a window that is seen empty is better than none.
    let isShown = false;
    const show = () => {
      if (!isShown && !window.isDestroyed()) window.show();
      isShown = true;
    };
    window.once('ready-to-show', show);
    window.webContents.once('did-finish-load', () => setTimeout(show, SHOWN_WITHIN_MS));
    for (const event of ['resize', 'move', 'maximize', 'unmaximize', 'enter-full-screen', 'leave-full-screen'] as const) {
      // Every one of them has this signature; the overloads of `on` take no union.
      window.on(event as 'resize', () => this.#remember());
    }
    window.on('focus', onFocusChanged);
    window.on('blur', onFocusChanged);
    window.on('closed', () => onClosed(this));
    window.on('page-title-updated', (event, title) => {
      if (!isDemo) return;
      event.preventDefault();
      window.setTitle(`${title} (Demo)`);
    });
    const { webContents } = window;
    webContents.on('did-finish-load', () => webContents.setZoomFactor(zoom));
    webContents.on('will-navigate', (event) => {
      if (!isOurPage(event.url, devServer) || event.url !== webContents.getURL()) event.preventDefault();
    });
    webContents.on('will-redirect', (event) => event.preventDefault());
    webContents.on('will-attach-webview', (event) => event.preventDefault());
    webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  }

  #remember(): void {
    const { browserWindow: window } = this;
    this.#state = {
      id: this.id,
      bounds: window.getNormalBounds(),
      isMaximized: window.isMaximized(),
      isFullScreen: window.isFullScreen(),
    };
    this.#options.onMoved();
  }
}

export function canvas(): string {
  return nativeTheme.shouldUseDarkColors ? CANVAS.dark : CANVAS.light;
}
