import { join } from 'node:path';
import { app, Menu, nativeImage, Tray } from 'electron';
import { type TrayAction, type TrayState, trayIcon, trayMenu, trayTooltip } from './tray-menu.ts';

/** A menu that is rebuilt while it is open closes on some desktops, so it follows changes no faster. */
const REFRESH_MS = 1_000;

/** The icon that says that Baton runs, with or without a window. */
export class BatonTray {
  readonly #tray: Tray;
  readonly #stateNow: () => TrayState;
  readonly #act: (action: TrayAction) => void;
  #timer: NodeJS.Timeout | null = null;
  #shown = '';

  /** Throws where the system cannot show one. */
  constructor(stateNow: () => TrayState, act: (action: TrayAction) => void) {
    this.#stateNow = stateNow;
    this.#act = act;
    this.#tray = new Tray(icon('idle'));
    // macOS opens the menu by itself; elsewhere a click, where it arrives at all, means the window.
    if (process.platform !== 'darwin') this.#tray.on('click', () => act({ do: 'show' }));
    this.#refresh();
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#refresh();
    }, REFRESH_MS);
  }

  destroy(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#tray.destroy();
  }

  #refresh(): void {
    const state = this.#stateNow();
    const template = trayMenu(state, this.#act);
    const shown = JSON.stringify([template, trayTooltip(state.sessions), sessionIds(state)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tray.setImage(icon(trayIcon(state.sessions)));
    this.#tray.setToolTip(trayTooltip(state.sessions));
    this.#tray.setContextMenu(Menu.buildFromTemplate(template));
  }
}

/** Two sessions of one title must not be taken for each other: a template shows no ids. */
function sessionIds({ sessions }: TrayState): string[] {
  return sessions.map(({ runId }) => runId);
}

function icon(name: 'idle' | 'attention') {
  const file = { darwin: `${name}Template.png`, win32: `${name}.ico` }[process.platform as string] ?? `${name}.png`;
  return nativeImage.createFromPath(join(app.getAppPath(), 'assets', 'tray', file));
}
