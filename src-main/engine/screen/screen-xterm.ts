import { createRequire } from 'node:module';
import type { SerializeAddon } from '@xterm/addon-serialize';
import type { IBufferLine, Terminal } from '@xterm/headless';
import * as z from 'zod/mini';

// xterm's packages are CommonJS without named exports: an import would give their types names that do not exist at run time.
const load = createRequire(import.meta.url);
const headless: typeof import('@xterm/headless') = load('@xterm/headless');
const serialize: typeof import('@xterm/addon-serialize') = load('@xterm/addon-serialize');
// This one reads its table from the start of the memory that its Buffer lies in: in Node's shared pool that is somebody else's
// bytes, and it fails, loops for ever or counts widths wrongly, depending on them.
const { poolSize } = Buffer;
Buffer.poolSize = 0;
const graphemes: typeof import('@xterm/addon-unicode-graphemes') = load('@xterm/addon-unicode-graphemes');
Buffer.poolSize = poolSize;

export interface HeadlessTerminal {
  readonly terminal: Terminal;
  readonly serializer: SerializeAddon;
}

/** A terminal with the same table of character widths as the window's: otherwise both would wrap lines differently. */
export function openTerminal(size: { readonly cols: number; readonly rows: number }, scrollback: number): HeadlessTerminal {
  const terminal = new headless.Terminal({ ...size, scrollback, allowProposedApi: true, logLevel: 'off' });
  const serializer = new serialize.SerializeAddon();
  // The add-ons' types name the window's Terminal; the headless one has all that they use.
  for (const addon of [serializer, new graphemes.UnicodeGraphemesAddon()])
    terminal.loadAddon(addon as unknown as Parameters<Terminal['loadAddon']>[0]);
  return { terminal, serializer };
}

/** State that xterm keeps and offers no access to. Its version is pinned; a change of it shows in the tests. */
const Internals = z.object({
  buffer: z.object({ scrollTop: z.number(), scrollBottom: z.number() }),
  coreService: z.object({
    isCursorHidden: z.boolean(),
    decPrivateModes: z.object({ origin: z.boolean(), cursorStyle: z.optional(z.string()), cursorBlink: z.optional(z.boolean()) }),
  }),
  coreMouseService: z.object({ activeEncoding: z.string() }),
  _charsetService: z.object({ charset: z.optional(z.record(z.string(), z.string())) }),
});
const Core = z.object({ _core: z.custom<object>((value) => typeof value === 'object' && value !== null) });

export interface HiddenState {
  /** Rows of the scroll region, from 0. */
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly isCursorHidden: boolean;
  readonly isOriginMode: boolean;
  /** DECSCUSR's parameter; null: the user's own cursor. */
  readonly cursorShape: number | null;
  readonly mouseEncoding: 'DEFAULT' | 'SGR' | 'SGR_PIXELS' | string;
  /** Letters are drawn as lines (DEC special graphics). */
  readonly isLineDrawing: boolean;
}

export function hiddenState(terminal: Terminal): HiddenState {
  const internals = Internals.parse(Core.parse(terminal)._core);
  const { cursorStyle, cursorBlink, origin } = internals.coreService.decPrivateModes;
  const shapes = ['block', 'underline', 'bar'];
  return {
    ...internals.buffer,
    isCursorHidden: internals.coreService.isCursorHidden,
    isOriginMode: origin,
    cursorShape: cursorStyle === undefined ? null : shapes.indexOf(cursorStyle) * 2 + (cursorBlink === true ? 1 : 2),
    mouseEncoding: internals.coreMouseService.activeEncoding,
    isLineDrawing: internals._charsetService.charset?.q === '─',
  };
}

export const WORDS_PER_CELL = 3;

/** A line's cells, three words each: content, foreground with flags, background with flags. */
export function cellsOf(line: IBufferLine): Uint32Array {
  const cells =
    '_line' in line && typeof line._line === 'object' && line._line !== null && '_data' in line._line && line._line._data;
  if (!(cells instanceof Uint32Array)) throw new Error('xterm keeps the cells of a line elsewhere');
  return cells;
}

/** Resolves when everything written before is parsed. */
export function written(terminal: Terminal, bytes: Uint8Array | string): Promise<void> {
  // xterm never calls back for nothing.
  return bytes.length === 0 ? Promise.resolve() : new Promise((resolve) => terminal.write(bytes, resolve));
}
