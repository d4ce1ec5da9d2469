import { randomUUID } from 'node:crypto';
import { BrowserWindow, type IpcMainEvent, ipcMain } from 'electron';
import type { RunId } from '../../src-shared/ids.ts';
import type { HostMessage } from '../../src-shared/protocol.ts';
import { AppWindow, type AppWindowOptions, canvas } from './app-window.ts';
import { isOurPage } from './page-address.ts';
import { readWindows, type SavedWindows, saveWindows, type WindowState } from './window-state.ts';

const SAVE_AFTER_MS = 500;

export interface WindowsOptions extends Omit<AppWindowOptions, 'state' | 'zoom' | 'onMoved' | 'onClosed'> {
  /** The file that keeps where windows were. */
  readonly file: string;
  /** What a page is told when it comes up. */
  readonly greeting: () => HostMessage;
  readonly onAllClosed: (isFirstTime: boolean) => void;
}

/** All windows: opened, found again, remembered. */
export class Windows {
  readonly #options: WindowsOptions;
  readonly #open = new Set<AppWindow>();
  #saved: SavedWindows = { windows: [], toldAboutTray: false };
  #saveTimer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();
  #lastFocused: AppWindow | null = null;
  #zoom = 1;
  #areClosingForGood = false;

  constructor(options: WindowsOptions) {
    this.#options = options;
    ipcMain.on('baton:wire', (event) => this.#takePort(event));
  }

  /** Opens the windows that were open at last; one, if there were none. */
  async restore(): Promise<void> {
    this.#saved = await readWindows(this.#options.file);
    if (this.#saved.windows.length === 0) this.openNew();
    else for (const state of this.#saved.windows) this.#openWith(state);
  }

  openNew(): AppWindow {
    const near = this.focused()?.browserWindow.getNormalBounds();
    const bounds = near ? { ...near, x: near.x + 24, y: near.y + 24 } : null;
    return this.#openWith({ id: randomUUID(), bounds, isMaximized: false, isFullScreen: false });
  }

  /** The window in front, else the one that was in front last; null while none is open. */
  current(): AppWindow | null {
    return this.focused() ?? this.#lastFocused ?? this.#open.values().next().value ?? null;
  }

  focused(): AppWindow | null {
    return [...this.#open].find(({ browserWindow }) => browserWindow.isFocused()) ?? null;
  }

  all(): readonly AppWindow[] {
    return [...this.#open];
  }

  /** Brings a window to the front: one that shows that session, else the current one, else the one that was closed last. */
  show(runId: RunId | null = null): AppWindow {
    const showing = runId === null ? undefined : [...this.#open].find(({ visible }) => visible.has(runId));
    const window = showing ?? this.current() ?? this.#reopen();
    window.show();
    return window;
  }

  send(message: HostMessage): void {
    for (const window of this.#open) window.send(message);
  }

  setZoom(zoom: number): void {
    this.#zoom = zoom;
    for (const { browserWindow } of this.#open) browserWindow.webContents.setZoomFactor(zoom);
  }

  recolour(): void {
    for (const { browserWindow } of this.#open) browserWindow.setBackgroundColor(canvas());
  }

  /** Resolves when they are closed. */
  async closeAll(): Promise<void> {
    await Promise.all(
      [...this.#open].map(({ browserWindow }) => {
        const closed = new Promise<void>((resolve) => browserWindow.once('closed', () => resolve()));
        browserWindow.close();
        return closed;
      }),
    );
  }

  /** At the end of the app: they come back at the next start. */
  async closeForGood(): Promise<void> {
    this.#areClosingForGood = true;
    this.#remember();
    for (const { browserWindow } of this.#open) browserWindow.destroy();
    await this.#save();
  }

  #reopen(): AppWindow {
    const last = this.#saved.windows.at(-1);
    return last ? this.#openWith(last) : this.openNew();
  }

  #openWith(state: WindowState): AppWindow {
    const window = new AppWindow({
      ...this.#options,
      state,
      zoom: this.#zoom,
      onMoved: () => this.#changed(),
      onFocusChanged: () => {
        this.#lastFocused = this.focused() ?? this.#lastFocused;
        this.#options.onFocusChanged();
      },
      onClosed: (closed) => this.#closed(closed),
    });
    this.#open.add(window);
    this.#changed();
    return window;
  }

  #closed(window: AppWindow): void {
    this.#open.delete(window);
    if (this.#lastFocused === window) this.#lastFocused = null;
    if (this.#areClosingForGood) return;
    // The last one keeps its place, for the window that is opened next.
    if (this.#open.size > 0) {
      this.#changed();
      return;
    }
    const isFirstTime = !this.#saved.toldAboutTray;
    this.#saved = { windows: [window.state], toldAboutTray: true };
    this.#scheduleSave();
    this.#options.onAllClosed(isFirstTime);
  }

  #changed(): void {
    this.#remember();
    this.#scheduleSave();
  }

  #remember(): void {
    if (this.#open.size > 0) this.#saved = { ...this.#saved, windows: [...this.#open].map(({ state }) => state) };
  }

  #scheduleSave(): void {
    this.#saveTimer ??= setTimeout(() => void this.#save(), SAVE_AFTER_MS);
  }

  #save(): Promise<void> {
    if (this.#saveTimer) clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    this.#saving = this.#saving.then(() => saveWindows(this.#options.file, this.#saved)).catch(this.#options.onBug);
    return this.#saving;
  }

  /** Only the main frame of a window of ours, showing our page, gets a wire. */
  #takePort(event: IpcMainEvent): void {
    const [port] = event.ports;
    const window = [...this.#open].find(({ browserWindow }) => browserWindow === BrowserWindow.fromWebContents(event.sender));
    const frame = event.senderFrame;
    const isOurs = frame !== null && frame === event.sender.mainFrame && isOurPage(frame.url, this.#options.devServer);
    if (port === undefined) return;
    if (window && isOurs) window.takePort(port, this.#options.greeting());
    else port.close();
  }
}
