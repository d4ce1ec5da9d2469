import * as z from 'zod/mini';

const colour = z.string().check(z.regex(/^#[0-9a-f]{6}([0-9a-f]{2})?$/i));

/** Colours that the user has brought along, as settings.json keeps them: `ansi` has sixteen. */
export const ImportedPalette = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(64)),
  background: colour,
  foreground: colour,
  cursor: colour,
  selection: colour,
  ansi: z.array(colour).check(z.length(16)),
});
export type ImportedPalette = z.infer<typeof ImportedPalette>;

/** Colours of a terminal. `ansi` is black, red, green, yellow, blue, magenta, cyan, white, then the eight bright ones. */
export interface TerminalPalette {
  readonly background: string;
  readonly foreground: string;
  readonly cursor: string;
  readonly selection: string;
  readonly ansi: readonly [
    ...[string, string, string, string, string, string, string, string],
    ...[string, string, string, string, string, string, string, string],
  ];
}

/** What `terminal.palette` names: one for each theme, or the same for both. */
export interface NamedPalette {
  readonly name: string;
  readonly dark: TerminalPalette;
  readonly light: TerminalPalette;
}

const batonDark: TerminalPalette = {
  background: '#101215',
  foreground: '#e1e4e8',
  cursor: '#e8a33d',
  selection: '#5b7fb866',
  ansi: [
    ...(['#4b525c', '#f07b72', '#7fc98f', '#e2b55e', '#7fb0f0', '#c996e8', '#6cc7c9', '#c9ced6'] as const),
    ...(['#6f7783', '#ff9a92', '#9fdfac', '#f2cb82', '#a3c8fa', '#dcb3f5', '#92dedf', '#f4f5f7'] as const),
  ],
};
const batonLight: TerminalPalette = {
  background: '#ffffff',
  foreground: '#1d2025',
  cursor: '#b56b00',
  selection: '#8fb3e280',
  ansi: [
    ...(['#1d2025', '#b8281f', '#1f7a3c', '#8f5f00', '#2458b0', '#8336ab', '#0f7175', '#6b727d'] as const),
    ...(['#565d67', '#d23a30', '#268a47', '#a66f00', '#2f6bd0', '#9a48c4', '#16838a', '#3a4048'] as const),
  ],
};

const solarizedAnsi = [
  ...(['#073642', '#dc322f', '#859900', '#b58900', '#268bd2', '#d33682', '#2aa198', '#eee8d5'] as const),
  ...(['#586e75', '#cb4b16', '#93a1a1', '#657b83', '#839496', '#6c71c4', '#93a1a1', '#fdf6e3'] as const),
] as const;
const solarizedDark: TerminalPalette = {
  background: '#002b36',
  foreground: '#93a1a1',
  cursor: '#93a1a1',
  selection: '#0a4958',
  ansi: solarizedAnsi,
};
const solarizedLight: TerminalPalette = {
  background: '#fdf6e3',
  foreground: '#586e75',
  cursor: '#586e75',
  selection: '#e6dfc8',
  ansi: solarizedAnsi,
};

const gruvboxDark: TerminalPalette = {
  background: '#282828',
  foreground: '#ebdbb2',
  cursor: '#ebdbb2',
  selection: '#504945',
  ansi: [
    ...(['#282828', '#cc241d', '#98971a', '#d79921', '#458588', '#b16286', '#689d6a', '#a89984'] as const),
    ...(['#928374', '#fb4934', '#b8bb26', '#fabd2f', '#83a598', '#d3869b', '#8ec07c', '#ebdbb2'] as const),
  ],
};
const gruvboxLight: TerminalPalette = {
  background: '#fbf1c7',
  foreground: '#3c3836',
  cursor: '#3c3836',
  selection: '#e0d3a6',
  ansi: [
    ...(['#fbf1c7', '#cc241d', '#98971a', '#d79921', '#458588', '#b16286', '#689d6a', '#7c6f64'] as const),
    ...(['#928374', '#9d0006', '#79740e', '#b57614', '#076678', '#8f3f71', '#427b58', '#3c3836'] as const),
  ],
};

const nord: TerminalPalette = {
  background: '#2e3440',
  foreground: '#d8dee9',
  cursor: '#d8dee9',
  selection: '#434c5e',
  ansi: [
    ...(['#3b4252', '#bf616a', '#a3be8c', '#ebcb8b', '#81a1c1', '#b48ead', '#88c0d0', '#e5e9f0'] as const),
    ...(['#4c566a', '#bf616a', '#a3be8c', '#ebcb8b', '#81a1c1', '#b48ead', '#8fbcbb', '#eceff4'] as const),
  ],
};
const dracula: TerminalPalette = {
  background: '#282a36',
  foreground: '#f8f8f2',
  cursor: '#f8f8f2',
  selection: '#44475a',
  ansi: [
    ...(['#21222c', '#ff5555', '#50fa7b', '#f1fa8c', '#bd93f9', '#ff79c6', '#8be9fd', '#f8f8f2'] as const),
    ...(['#6272a4', '#ff6e6e', '#69ff94', '#ffffa5', '#d6acff', '#ff92df', '#a4ffff', '#ffffff'] as const),
  ],
};

const oneDark: TerminalPalette = {
  background: '#282c34',
  foreground: '#abb2bf',
  cursor: '#528bff',
  selection: '#3e4451',
  ansi: [
    ...(['#3f4451', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0'] as const),
    ...(['#5c6370', '#ef8b93', '#b1d494', '#f0d39b', '#86c5f7', '#d799e8', '#7cccd6', '#ffffff'] as const),
  ],
};
const oneLight: TerminalPalette = {
  background: '#fafafa',
  foreground: '#383a42',
  cursor: '#526fff',
  selection: '#e0e3ea',
  ansi: [
    ...(['#383a42', '#e45649', '#50a14f', '#c18401', '#4078f2', '#a626a4', '#0184bc', '#a0a1a7'] as const),
    ...(['#696c77', '#ca1243', '#3e8a3d', '#986801', '#2f62d0', '#8a1f88', '#016d9c', '#202227'] as const),
  ],
};

/** By the value of the setting. The first one is Baton's own and the fallback for a name that nothing bears. */
export const TERMINAL_PALETTES: Readonly<Record<string, NamedPalette>> = {
  baton: { name: 'Baton', dark: batonDark, light: batonLight },
  solarized: { name: 'Solarized', dark: solarizedDark, light: solarizedLight },
  gruvbox: { name: 'Gruvbox', dark: gruvboxDark, light: gruvboxLight },
  one: { name: 'One', dark: oneDark, light: oneLight },
  nord: { name: 'Nord', dark: nord, light: nord },
  dracula: { name: 'Dracula', dark: dracula, light: dracula },
};

/** What is shown for a value of the setting, given the palettes that the user has imported (`terminal.palettes`). */
export function terminalPalette(
  setting: string,
  theme: 'light' | 'dark',
  imported: Readonly<Record<string, ImportedPalette>>,
): TerminalPalette {
  const own = Object.hasOwn(imported, setting) ? imported[setting] : undefined;
  // Sixteen, by its schema.
  if (own) return { ...own, ansi: own.ansi as unknown as TerminalPalette['ansi'] };
  const named = Object.hasOwn(TERMINAL_PALETTES, setting) ? TERMINAL_PALETTES[setting] : undefined;
  return (named ?? { dark: batonDark, light: batonLight })[theme];
}
