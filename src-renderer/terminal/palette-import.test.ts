import { describe, expect, it } from 'vitest';
import { ImportedPalette } from '../../src-shared/terminal-palettes.ts';
import { importPalette, PaletteError } from './palette-import.ts';

const component = (which: string, share: number) => `<key>${which} Component</key><real>${share}</real>`;
const itermColour = (key: string, red: number, green: number, blue: number) =>
  `<key>${key}</key><dict><key>Alpha Component</key><real>1</real>${component('Blue', blue)}<key>Color Space</key><string>sRGB</string>${component('Green', green)}${component('Red', red)}</dict>`;
const iterm = (colours: readonly string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x">\n<plist version="1.0"><dict>${colours.join('')}</dict></plist>`;
const sixteen = Array.from({ length: 16 }, (_, at) => itermColour(`Ansi ${at} Color`, at / 15, 0, 0));
const required = [itermColour('Background Color', 0, 0, 0), itermColour('Foreground Color', 1, 1, 1)];

const base16 = (line: (key: string, value: string) => string) =>
  Array.from({ length: 16 }, (_, at) => line(`base0${at.toString(16).toUpperCase()}`, `${at.toString(16).repeat(6)}`));

function problemOf(act: () => unknown): PaletteError {
  try {
    act();
  } catch (error) {
    if (error instanceof PaletteError) return error;
  }
  throw new Error('there was no problem');
}

describe('an iTerm2 scheme', () => {
  it('is read whole', () => {
    const palette = importPalette(
      'My Scheme.itermcolors',
      iterm([...sixteen, ...required, itermColour('Cursor Color', 1, 0.5, 0)]),
    );
    expect(palette).toMatchObject({ name: 'My Scheme', background: '#000000', foreground: '#ffffff', cursor: '#ff8000' });
    expect(palette.ansi[15]).toBe('#ff0000');
    expect(palette.selection).toBe('#404040');
    expect(ImportedPalette.safeParse(palette).success).toBe(true);
  });

  it('names the colour that is missing', () => {
    const problem = problemOf(() => importPalette('x.itermcolors', iterm([...sixteen.slice(1), ...required])));
    expect([problem.reason, problem.what]).toEqual(['missing', 'Ansi 0 Color']);
  });

  it('refuses colours that are none', () => {
    const odd = iterm([...sixteen, itermColour('Background Color', 7, 0, 0), itermColour('Foreground Color', 1, 1, 1)]);
    expect(problemOf(() => importPalette('x.itermcolors', odd)).what).toBe('Background Color');
  });
});

describe('a base16 scheme', () => {
  it.each([
    [
      'old YAML',
      ['scheme: "Grey"', 'author: "A (http://a.example)"', ...base16((key, value) => `${key}: "${value}"`)].join('\n'),
    ],
    [
      'new YAML',
      ['system: "base16"', "name: 'Grey'", 'palette:', ...base16((key, value) => `  ${key}: "#${value}" # a colour`)].join('\n'),
    ],
    ['bare YAML', ['scheme: Grey # its name', ...base16((key, value) => `${key}: ${value}`)].join('\n')],
    [
      'JSON',
      JSON.stringify({
        name: 'Grey',
        palette: Object.fromEntries(base16((key, value) => `${key} ${value}`).map((pair) => pair.split(' '))),
      }),
    ],
  ])('is read from %s', (_, text) => {
    const palette = importPalette('file.yaml', text);
    expect(palette).toMatchObject({ name: 'Grey', background: '#000000', foreground: '#555555', selection: '#222222' });
    expect(palette.ansi[1]).toBe('#888888');
    expect(palette.ansi[2]).toBe('#bbbbbb');
    expect(ImportedPalette.safeParse(palette).success).toBe(true);
  });

  it('is named after its file where it has no name', () => {
    expect(importPalette('quiet.yml', base16((key, value) => `${key}: "${value}"`).join('\n')).name).toBe('quiet');
  });

  it('names the colour that is missing', () => {
    const lines = base16((key, value) => `${key}: "${value}"`).filter((line) => !line.startsWith('base0D'));
    expect(problemOf(() => importPalette('x.yaml', lines.join('\n'))).what).toBe('base0D');
  });
});

it.each(['', 'hello: world', '{"a": 1}', '<svg/>'])('refuses what is no scheme: %j', (text) => {
  expect(problemOf(() => importPalette('x.txt', text)).reason).toBe('unknown');
});
