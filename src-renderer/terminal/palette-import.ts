import type { ImportedPalette } from '../../src-shared/terminal-palettes.ts';
import { contrast, parseHex, type Rgb, toHex } from './colours.ts';

/** Colour schemes are a few KB. */
export const PALETTE_MOST_BYTES = 256 * 1024;

export class PaletteError extends Error {
  readonly reason: 'unknown' | 'missing';
  /** The colour that is missing. */
  readonly what: string;

  constructor(reason: 'unknown' | 'missing', what = '') {
    super(reason === 'unknown' ? 'neither an iTerm2 nor a base16 scheme' : `no colour for ${what}`);
    this.reason = reason;
    this.what = what;
  }
}

/** Reads an iTerm2 scheme (.itermcolors, a property list) or a base16 one (YAML or JSON, old or new form). Throws PaletteError. */
export function importPalette(fileName: string, text: string): ImportedPalette {
  const name = fileName.replace(/\.[^.]*$/, '').slice(0, 64) || 'Imported';
  return /<plist\b/.test(text) ? fromIterm(name, text) : fromBase16(name, text);
}

function fromIterm(name: string, text: string): ImportedPalette {
  const root = new DOMParser().parseFromString(text, 'text/xml').querySelector('plist > dict');
  if (root === null) throw new PaletteError('unknown');
  const entries = dictEntries(root);
  const read = (key: string): Rgb | null => {
    const colour = entries.get(key);
    return colour === undefined ? null : itermColour(dictEntries(colour));
  };
  const need = (key: string): string => {
    const colour = read(key);
    if (colour === null) throw new PaletteError('missing', key);
    return toHex(colour);
  };
  const background = need('Background Color');
  const foreground = need('Foreground Color');
  return {
    name,
    background,
    foreground,
    cursor: toHex(read('Cursor Color') ?? rgb(foreground)),
    selection: toHex(read('Selection Color') ?? middle(rgb(background), rgb(foreground))),
    ansi: Array.from({ length: 16 }, (_, at) => need(`Ansi ${at} Color`)),
  };
}

/** `<key>` and the element after it, in turn. */
function dictEntries(dict: Element): ReadonlyMap<string, Element> {
  const entries = new Map<string, Element>();
  const children = [...dict.children];
  children.forEach((child, at) => {
    const value = children[at + 1];
    if (child.tagName === 'key' && value) entries.set(child.textContent ?? '', value);
  });
  return entries;
}

/** Its parts are shares from 0 to 1. */
function itermColour(parts: ReadonlyMap<string, Element>): Rgb | null {
  const part = (which: string) => Number.parseFloat(parts.get(`${which} Component`)?.textContent ?? '');
  const colour = [part('Red'), part('Green'), part('Blue')] as const;
  if (colour.some((share) => !(share >= 0 && share <= 1))) return null;
  return colour.map((share) => Math.round(share * 255)) as unknown as Rgb;
}

/** Where a base16 scheme's colours belong in a terminal: the sixteen ANSI colours by their base00 … base0F. */
const BASE16_ANSI = ['00', '08', '0B', '0A', '0D', '0E', '0C', '05', '03', '08', '0B', '0A', '0D', '0E', '0C', '07'];

function fromBase16(fallbackName: string, text: string): ImportedPalette {
  const values = readPairs(text);
  const need = (number: string): string => {
    const value = values.get(`base${number}`.toLowerCase());
    const colour = value === undefined ? null : parseHex(value.startsWith('#') ? value : `#${value}`);
    if (colour === null) throw new PaletteError('missing', `base${number}`);
    return toHex(colour);
  };
  if (![...values.keys()].some((key) => /^base0[0-9a-f]$/.test(key))) throw new PaletteError('unknown');
  const name = (values.get('name') ?? values.get('scheme') ?? fallbackName).slice(0, 64) || fallbackName;
  return {
    name,
    background: need('00'),
    foreground: need('05'),
    cursor: need('05'),
    selection: need('02'),
    ansi: BASE16_ANSI.map(need),
  };
}

/** `key: "value"` lines of YAML and JSON alike: a scheme is nothing else, whether its colours stand in an inner object or not. */
function readPairs(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const [, key, quoted, apostrophed, bare] of text.matchAll(
    /["']?([A-Za-z][\w-]*)["']?[ \t]*:[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"',{}#][^\n,}]*))/g,
  )) {
    const value = quoted ?? apostrophed ?? bare?.replace(/\s+#.*$/, '').trim();
    if (key !== undefined && value !== undefined && !pairs.has(key.toLowerCase())) pairs.set(key.toLowerCase(), value);
  }
  return pairs;
}

function rgb(hex: string): Rgb {
  return parseHex(hex) ?? [0, 0, 0];
}

/** A background for selected text where a scheme has none: a quarter of the way to the text's colour, which stays readable on it. */
function middle(background: Rgb, foreground: Rgb): Rgb {
  const mix = (share: number) =>
    background.map((part, at) => Math.round(part + ((foreground[at] ?? part) - part) * share)) as unknown as Rgb;
  const mixed = mix(0.25);
  return contrast(mixed, foreground) >= 3 ? mixed : mix(0.1);
}
