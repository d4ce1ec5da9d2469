import type { IDisposable, Terminal } from '@xterm/xterm';
import { quotePaths } from './quote-path.ts';

export interface PointerOptions {
  readonly terminal: Terminal;
  readonly element: HTMLElement;
  readonly isMac: boolean;
  /** Of the engine: its shell reads dropped paths. */
  readonly platform: () => string;
  readonly rightClickPastes: () => boolean;
  readonly copiesOnSelect: () => boolean;
  readonly onCopy: () => void;
  readonly onPaste: () => void;
  readonly onPasteText: (text: string) => void;
  readonly pathForFile: ((file: File) => string) | null;
  /** The wheel was turned upwards at the top of all live lines. */
  readonly onAboveTop: () => void;
}

/** Turned so far (in px) above the top before it is taken for a wish: the end of a long swing is none. */
const WISH_PX = 240;
const LINE_PX = 18;
/** A new swing of the wheel, not the rest of the last one. */
const SWING_REST_MS = 250;

/** Mouse, clipboard events and dropped files, before xterm sees them. */
export function listenToPointer(options: PointerOptions): IDisposable {
  const { terminal, element } = options;
  const stops: (() => void)[] = [];
  function on<K extends keyof HTMLElementEventMap>(type: K, handle: (event: HTMLElementEventMap[K]) => void): void {
    element.addEventListener(type, handle, { capture: true });
    stops.push(() => element.removeEventListener(type, handle, { capture: true }));
  }

  on('paste', (event) => {
    // Middle click on X11, the context menu of the system, dictation: all texts take the one guarded way.
    take(event);
    options.onPasteText(event.clipboardData?.getData('text/plain') ?? '');
  });
  on('contextmenu', (event) => handleContextMenu(event, options));
  on('mousedown', () => {
    // Option selects against a program that takes the mouse, else it selects blocks as elsewhere.
    if (options.isMac) terminal.options.macOptionClickForcesSelection = terminal.modes.mouseTrackingMode !== 'none';
    // The button may be let go anywhere; xterm has the selection when its own listener has run as well.
    const copy = () => setTimeout(() => options.copiesOnSelect() && terminal.hasSelection() && options.onCopy());
    window.addEventListener('mouseup', copy, { once: true });
  });
  on('dragover', (event) => {
    if (!hasFiles(event)) return;
    take(event);
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  on('drop', (event) => {
    if (!hasFiles(event)) return;
    take(event);
    handleDrop([...(event.dataTransfer?.files ?? [])], options);
  });
  const isAtTop = () => {
    const { active } = terminal.buffer;
    return active.type === 'normal' && active.viewportY === 0 && terminal.modes.mouseTrackingMode === 'none';
  };
  on('wheel', wheelWatcher(isAtTop, options.onAboveTop));
  return {
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
}

function take(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

function handleContextMenu(event: MouseEvent, { terminal, rightClickPastes, onCopy, onPaste }: PointerOptions): void {
  // A program that takes the mouse gets the right button too; Shift overrides it, as everywhere.
  if (terminal.modes.mouseTrackingMode !== 'none' && !event.shiftKey) {
    take(event);
    return;
  }
  if (!rightClickPastes()) return;
  take(event);
  if (terminal.hasSelection()) {
    onCopy();
    terminal.clearSelection();
  } else onPaste();
}

function handleDrop(files: readonly File[], { terminal, platform, pathForFile, onPasteText }: PointerOptions): void {
  const paths = files.map((file) => pathForFile?.(file) ?? '').filter((path) => path !== '');
  if (paths.length === 0) return;
  onPasteText(`${quotePaths(paths, platform())} `);
  terminal.focus();
}

/** Tells a wish to see what is above the live lines from the rest of a swing that has arrived at the top. */
export function wheelWatcher(isAtTop: () => boolean, onAboveTop: () => void): (event: WheelEvent) => void {
  let turned = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let beganAtTop = false;
  return (event) => {
    const wasAtTop = isAtTop();
    if (event.timeStamp - lastMs > SWING_REST_MS) {
      beganAtTop = wasAtTop;
      turned = 0;
    }
    lastMs = event.timeStamp;
    if (!wasAtTop || event.deltaY >= 0 || event.ctrlKey || event.shiftKey) {
      turned = 0;
      return;
    }
    turned -= event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE_PX;
    if (turned < (beganAtTop ? WISH_PX / 2 : WISH_PX)) return;
    turned = 0;
    onAboveTop();
  };
}
