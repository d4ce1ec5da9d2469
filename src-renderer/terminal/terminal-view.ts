import { ProgressAddon } from '@xterm/addon-progress';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { type IDisposable, Terminal } from '@xterm/xterm';
import type { StoreApi } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { LogEvent } from '../../src-shared/events.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { AttachmentStart } from '../pane-contract.ts';
import { bellLimiter, soundBell } from './bell.ts';
import { countLines, textOfRows } from './buffer-text.ts';
import { handleClipboardRequests } from './clipboard-requests.ts';
import { CommandMarks, type CommandMarksOptions } from './command-marks.ts';
import { TerminalFind } from './find.ts';
import type { Cells } from './geometry.ts';
import { Keyboard } from './keyboard.ts';
import { addLinks, type LinkHandlers, type LinkTarget } from './links.ts';
import { FIXED_OPTIONS, isOtherFont, optionsOf, SCROLLBACK_LINES, type TerminalLook } from './look.ts';
import { OutputQueue } from './output-queue.ts';
import { PaneSize } from './pane-size.ts';
import { type PastePlan, planPaste } from './paste.ts';
import { listenToPointer, type PointerOptions } from './pointer.ts';
import { isFocusReport, swallowQueries, watchFocus } from './queries.ts';
import { TerminalRenderer } from './renderer.ts';
import { findPlace, type Place, placeOf, type Rows } from './scroll-memory.ts';
import { separate } from './separator.ts';
import { SoftKeys } from './soft-keys.ts';
import { listenToTouch } from './touch.ts';

/** What the pane around the terminal shows of it. */
export interface TerminalUi {
  readonly hovered: { readonly target: LinkTarget; readonly x: number; readonly y: number } | null;
  /** Grows with each ring that is to be seen. */
  readonly rings: number;
  /** OSC 9;4: 0 none, 1 normal, 2 error, 3 unknown, 4 warning. */
  readonly progress: { readonly state: 0 | 1 | 2 | 3 | 4; readonly value: number };
  readonly isForeignSize: boolean;
  readonly clipboardAsk: string | null;
  readonly pasteAsk: Extract<PastePlan, { is: 'confirm' }> | null;
  readonly found: { readonly index: number; readonly count: number } | null;
  readonly tabMovesFocus: boolean;
}

/** What the terminal wants of the world. */
export interface TerminalLink extends Pick<LinkHandlers, 'onOpen'> {
  readonly keys: (data: Uint8Array) => void;
  readonly parsed: (bytes: number) => void;
  readonly viewport: (cells: Cells) => void;
  readonly isDriving: () => boolean;
  readonly copy: (text: string) => void;
  readonly paste: () => void;
  readonly aboveTop: () => void;
  readonly describeCommand: CommandMarksOptions['describe'];
  readonly describeTurning: (event: LogEvent) => string;
}

export type TerminalEnvironment = Pick<PointerOptions, 'isMac' | 'pathForFile' | 'platform'> & { readonly isWindows: boolean };

const EMPTY_UI: TerminalUi = {
  hovered: null,
  rings: 0,
  progress: { state: 0, value: 0 },
  isForeignSize: false,
  clipboardAsk: null,
  pasteAsk: null,
  found: null,
  tabMovesFocus: false,
};

/** What a pane shows before its terminal is made. */
export const NO_TERMINAL: StoreApi<TerminalUi> = createStore(() => EMPTY_UI);

/** One xterm in one pane: everything about it that is not drawn by React. */
export class TerminalView {
  readonly ui: StoreApi<TerminalUi> = createStore(() => EMPTY_UI);
  readonly find: TerminalFind;
  readonly marks: CommandMarks;
  readonly softKeys: SoftKeys;
  readonly #terminal: Terminal;
  readonly #link: TerminalLink;
  readonly #output: OutputQueue;
  readonly #renderer: TerminalRenderer;
  readonly #keyboard: Keyboard;
  readonly #size: PaneSize;
  readonly #disposables: IDisposable[];
  #look: TerminalLook;
  /** Where to go when the screen of a new beginning is there. */
  #place: Place | null;
  #hasStarted = false;
  /** Lines have been taken away from the live ones that the history still has. */
  #isCut = false;
  /** Shows what its host shows, further on than the log here: the lines above it are in the history only. */
  #isAhead = false;

  /** `frame` is what the terminal may fill, `host` an element in it. Both are in the document, and the fonts are there. */
  constructor(
    { frame, host, look, place }: { frame: HTMLElement; host: HTMLElement; look: TerminalLook; place: Place | null },
    link: TerminalLink,
    environment: TerminalEnvironment,
  ) {
    this.#look = look;
    this.#link = link;
    this.#place = place;
    const terminal = new Terminal({
      ...FIXED_OPTIONS,
      ...optionsOf(look),
      fontSize: look.settings['terminal.fontSize'],
      theme: look.theme,
    });
    this.#terminal = terminal;
    terminal.loadAddon(new UnicodeGraphemesAddon());
    this.softKeys = new SoftKeys(terminal);
    this.marks = new CommandMarks(terminal, { describe: link.describeCommand });
    this.#output = new OutputQueue({
      sink: {
        write: (data, handleParsed) => terminal.write(data, handleParsed),
        resize: (cols, rows) => this.#resize(cols, rows),
        reset: () => this.#reset(),
      },
      onParsed: link.parsed,
      onTurning: (turning, event) => separate(terminal, turning.type, () => link.describeTurning(event)),
      onCaughtUp: () => this.#goToPlace(),
    });
    terminal.open(host);
    this.#renderer = new TerminalRenderer(terminal);
    this.#keyboard = new Keyboard({
      terminal,
      isWindows: environment.isWindows,
      onCopy: () => this.copy(),
      onPaste: link.paste,
    });
    this.#size = new PaneSize({
      terminal,
      frame,
      host,
      onViewport: link.viewport,
      onForeignSize: (isForeignSize) => this.#show({ isForeignSize }),
    });
    this.find = new TerminalFind(terminal, look.findTheme, (found) => this.#show({ found }));
    this.#disposables = [...this.#listen(host, environment), this.find, this.marks];
  }

  get hasSelection(): boolean {
    return this.#terminal.hasSelection();
  }
  get selectedText(): string {
    return this.#terminal.getSelection();
  }
  get isFullScreenProgram(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }
  /** There may be more above the top of the live lines than they show. */
  get hasMoreAbove(): boolean {
    return this.#isCut || this.#isAhead || this.#terminal.buffer.normal.baseY >= SCROLLBACK_LINES;
  }
  get cellHeight(): number | null {
    return this.#size.cellHeight;
  }
  /** Lines from the top row that is seen to the end. */
  get linesToEnd(): number {
    const { normal } = this.#terminal.buffer;
    return countLines(normal, this.isFullScreenProgram ? normal.baseY : normal.viewportY);
  }

  start(start: AttachmentStart): void {
    if (this.#hasStarted) this.#place ??= this.place();
    this.#hasStarted = true;
    this.#isAhead = start.screen !== null && start.screen.seq > start.lastSeq;
    this.#output.start(start);
  }

  push(events: readonly LogEvent[]): void {
    this.#output.push(events);
  }

  /** The attachment is gone or another one: what it sent is no longer acknowledged. */
  forgetUnparsed(): void {
    this.#output.forgetUnparsed();
  }

  viewport(): Cells | null {
    return this.#size.viewport();
  }

  setDriving(isDriving: boolean): void {
    this.#size.setDriving(isDriving);
  }

  setLook(look: TerminalLook): void {
    const before = this.#look;
    this.#look = look;
    const options = optionsOf(look);
    Object.assign(this.#terminal.options, options);
    if (look.theme !== before.theme) this.#terminal.options.theme = look.theme;
    this.find.setTheme(look.findTheme);
    if (isOtherFont(look.settings, before.settings)) this.#size.setFontSize(look.settings['terminal.fontSize']);
  }

  /** Seen or not: what is not seen is not drawn and holds no graphics context. */
  setSeen(isSeen: boolean): void {
    this.#renderer.choose(this.#look.settings['terminal.renderer'], isSeen);
    if (!isSeen) return;
    this.#size.place();
    this.#terminal.refresh(0, this.#terminal.rows - 1);
  }

  focus(): void {
    this.#terminal.focus();
  }

  copy(): void {
    if (this.#terminal.hasSelection()) this.#link.copy(this.#terminal.getSelection());
  }

  /** Gives the program a text as if it were typed, with the user's consent where it would run. */
  paste(text: string): void {
    const plan = planPaste(text, {
      isBracketed: this.#terminal.modes.bracketedPasteMode,
      warns: this.#look.settings['terminal.warnOnMultiLinePaste'],
    });
    if (plan.is === 'send') this.type(plan.data);
    else if (plan.is === 'confirm') this.#show({ pasteAsk: plan });
  }

  type(data: string): void {
    this.#terminal.input(data);
  }

  selectAll(): void {
    this.#terminal.selectAll();
  }

  /** Empties what is seen here, and the live lines above it; the log and other viewers keep everything. */
  clear(): void {
    this.#isCut = true;
    this.#terminal.clear();
  }

  /** False: there is nothing above. */
  scroll(by: 'pageUp' | 'pageDown' | 'top' | 'bottom'): boolean {
    const wasAtTop = this.#terminal.buffer.active.viewportY === 0;
    if (by === 'pageUp') this.#terminal.scrollPages(-1);
    else if (by === 'pageDown') this.#terminal.scrollPages(1);
    else if (by === 'top') this.#terminal.scrollToTop();
    else this.#terminal.scrollToBottom();
    return !(wasAtTop && (by === 'pageUp' || by === 'top'));
  }

  /** False: there is no further command in that direction. */
  goToCommand(direction: 'previous' | 'next'): boolean {
    const { active } = this.#terminal.buffer;
    // At the end the next command up is the one before the prompt that is being typed at.
    const isAtEnd = active.viewportY >= active.baseY;
    const from = isAtEnd && direction === 'previous' ? active.baseY + active.cursorY : active.viewportY;
    const row = this.marks.rowOf(direction, from);
    if (row === null) return false;
    this.#terminal.scrollToLine(Math.min(row, active.baseY));
    // Rows of the last page cannot be on top: the mark itself says which one is meant.
    this.#terminal.selectLines(row, row);
    return true;
  }

  setTabMovesFocus(tabMovesFocus: boolean): void {
    this.#keyboard.tabMovesFocus = tabMovesFocus;
    this.#show({ tabMovesFocus });
  }

  dismiss(what: 'clipboardAsk' | 'pasteAsk'): void {
    this.#show({ [what]: null });
  }

  /** Everything that is live, as text. */
  text(): string {
    const { active } = this.#terminal.buffer;
    return textOfRows(active, 0, active.length);
  }

  place(): Place | null {
    const { normal } = this.#terminal.buffer;
    return placeOf(this.#rows(), normal.viewportY, normal.viewportY >= normal.baseY);
  }

  dispose(): void {
    this.#size.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
    this.#renderer.dispose();
    this.#terminal.dispose();
  }

  #listen(host: HTMLElement, environment: TerminalEnvironment): IDisposable[] {
    const terminal = this.#terminal;
    const { settings } = this.#live;
    const progress = new ProgressAddon();
    terminal.loadAddon(progress);
    const focus = watchFocus(host);
    const encoder = new TextEncoder();
    const mayRing = bellLimiter(() => performance.now());
    return [
      focus,
      swallowQueries(terminal.parser),
      terminal.parser.registerCsiHandler({ final: 'J' }, ([mode]) => {
        if (mode === 3) this.#isCut = true;
        return false;
      }),
      terminal.onData((data) => {
        if (!isFocusReport(data) || focus.isChanging()) this.#link.keys(encoder.encode(this.softKeys.applied(data)));
      }),
      terminal.onBinary((data) => this.#link.keys(Uint8Array.from(data, (character) => character.charCodeAt(0)))),
      terminal.onBell(() => {
        const bell = settings()['terminal.bell'];
        if (!this.#output.isLive || bell === 'off' || !mayRing()) return;
        if (bell === 'sound') soundBell();
        else this.#show({ rings: this.ui.getState().rings + 1 });
      }),
      progress.onChange(({ state, value }) => this.#show({ progress: { state, value } })),
      handleClipboardRequests(terminal, {
        isAllowedNow: () => this.#output.isLive && this.#link.isDriving(),
        policy: () => settings()['terminal.clipboardWrite'],
        onWrite: this.#link.copy,
        onAsk: (clipboardAsk) => this.#show({ clipboardAsk }),
      }),
      addLinks(terminal, {
        onOpen: this.#link.onOpen,
        onHover: (hovered) => this.#show({ hovered }),
        isMac: environment.isMac,
      }),
      listenToPointer({
        ...environment,
        terminal,
        element: host,
        rightClickPastes: () => settings()['terminal.rightClick'] === 'paste',
        copiesOnSelect: () => settings()['terminal.copyOnSelect'],
        onCopy: () => this.copy(),
        onPaste: this.#link.paste,
        onPasteText: (text) => this.paste(text),
        onAboveTop: () => this.hasMoreAbove && this.#link.aboveTop(),
      }),
      listenToTouch({
        terminal,
        element: host,
        cellHeight: () => this.cellHeight,
        onAboveTop: () => this.hasMoreAbove && this.#link.aboveTop(),
      }),
    ];
  }

  /** Settings as they are when they are asked for. */
  readonly #live = { settings: (): Settings => this.#look.settings };

  #show(change: Partial<TerminalUi>): void {
    this.ui.setState(change);
  }

  #resize(cols: number, rows: number): void {
    if (cols !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(cols, rows);
    this.#size.place();
  }

  #reset(): void {
    this.marks.clear();
    this.#terminal.reset();
    this.#isCut = false;
    this.#show({ progress: EMPTY_UI.progress, clipboardAsk: null });
  }

  #goToPlace(): void {
    if (this.#isAhead) return;
    const place = this.#place;
    this.#place = null;
    const top = place && findPlace(this.#rows(), place);
    if (top !== null) this.#terminal.scrollToLine(top);
  }

  #rows(): Rows {
    const { normal } = this.#terminal.buffer;
    return { length: normal.length, text: (row) => normal.getLine(row)?.translateToString(true) ?? '' };
  }
}
