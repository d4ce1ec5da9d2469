/** Colours as `#rrggbb`: what a program is told when it asks for them (OSC 4, 10, 11, 12). */
export interface TerminalColors {
  readonly foreground: string;
  readonly background: string;
  readonly cursor: string;
  /** The sixteen ANSI colours; the rest of the palette is fixed. */
  readonly palette: readonly string[];
}

type Slot = 'foreground' | 'background' | 'cursor';
const SLOTS: readonly Slot[] = ['foreground', 'background', 'cursor'];
const FIRST_SLOT_CODE = 10;
const RESET_OFFSET = 100;
const PALETTE_SIZE = 256;
const ST = '\x1b\\';

/** A terminal's colours: the theme's, and what its program has put over them. */
export class ScreenColors {
  private theme: TerminalColors;
  private readonly slots = new Map<Slot, string>();
  private readonly palette = new Map<number, string>();

  constructor(theme: TerminalColors) {
    this.theme = theme;
  }

  setTheme(theme: TerminalColors): void {
    this.theme = theme;
  }

  /** OSC 10, 11, 12: `data` may name several slots, one after the other. Returns the answers to what is asked. */
  handleSlot(code: number, data: string): readonly string[] {
    return data.split(';').flatMap((spec, offset) => {
      const slot = SLOTS[code - FIRST_SLOT_CODE + offset];
      if (slot === undefined) return [];
      if (spec === '?')
        return [`\x1b]${FIRST_SLOT_CODE + SLOTS.indexOf(slot)};${toReport(this.slots.get(slot) ?? this.theme[slot])}${ST}`];
      const color = parseColor(spec);
      if (color !== null) this.slots.set(slot, color);
      return [];
    });
  }

  /** OSC 4: pairs of index and colour. */
  handlePalette(data: string): readonly string[] {
    const parts = data.split(';');
    const answers: string[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const index = readIndex(parts[at]);
      if (index === null) continue;
      const spec = parts[at + 1] ?? '';
      const color = parseColor(spec);
      if (spec === '?') answers.push(`\x1b]4;${index};${toReport(this.palette.get(index) ?? this.themed(index))}${ST}`);
      else if (color !== null) this.palette.set(index, color);
    }
    return answers;
  }

  /** OSC 104 and 110 to 112: back to the theme. */
  reset(code: number, data: string): void {
    const slot = SLOTS[code - RESET_OFFSET - FIRST_SLOT_CODE];
    if (slot !== undefined) this.slots.delete(slot);
    else if (data === '') this.palette.clear();
    else for (const part of data.split(';')) this.palette.delete(readIndex(part) ?? -1);
  }

  clear(): void {
    this.slots.clear();
    this.palette.clear();
  }

  /** Sequences that make another terminal's colours the same. */
  serialize(): string {
    const slots = [...this.slots].map(([slot, color]) => `\x1b]${FIRST_SLOT_CODE + SLOTS.indexOf(slot)};${color}${ST}`);
    const palette = [...this.palette].map(([index, color]) => `\x1b]4;${index};${color}${ST}`);
    return [...slots, ...palette].join('');
  }

  private themed(index: number): string {
    return this.theme.palette[index] ?? fixedColor(index);
  }
}

function readIndex(text: string | undefined): number | null {
  const index = text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : PALETTE_SIZE;
  return index < PALETTE_SIZE ? index : null;
}

/** xterm's cube and grey ramp. */
function fixedColor(index: number): string {
  if (index >= 232) return hex([8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10]);
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  const cube = Math.max(index - 16, 0);
  return hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

/** `#rgb`, `#rrggbb` … and `rgb:r/g/b` with one to four digits each. null: something else. */
function parseColor(spec: string): string | null {
  const digits = /^#([0-9a-f]+)$/i.exec(spec)?.[1];
  const parts =
    digits === undefined
      ? /^rgb:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})$/i.exec(spec)?.slice(1)
      : [3, 6, 9, 12].includes(digits.length)
        ? [0, 1, 2].map((part) => digits.slice((part * digits.length) / 3, ((part + 1) * digits.length) / 3))
        : undefined;
  if (parts === undefined) return null;
  return hex(parts.map((part) => Math.round((Number.parseInt(part, 16) / (16 ** part.length - 1)) * 255)));
}

function hex(channels: readonly number[]): string {
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** As xterm reports it: four digits a channel. */
function toReport(color: string): string {
  const channels = [1, 3, 5].map((at) => color.slice(at, at + 2));
  return `rgb:${channels.map((channel) => channel + channel).join('/')}`;
}
