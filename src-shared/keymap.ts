import * as z from 'zod/mini';

/**
 * The one table of what a window can be asked to do: palette, shortcuts page, menus and key handling all read it.
 *
 * Keys are written as in keybindings.json (`ctrl+shift+t`, `cmd+d`, `f6`). Outside macOS plain Ctrl+letter belongs to the
 * program in the terminal, so Baton takes Ctrl+Shift+letter. (Ctrl+M is what Return types: a program loses nothing by it.)
 *
 * Adding a command: a row here, a handler in the renderer's command table; everything else follows.
 */
export const CONTEXTS = ['always', 'terminal', 'claude', 'permission', 'find'] as const;
/** Where a command's keys work: anywhere in the window, or only while such a pane, card or field has the focus. The innermost one goes first. */
export type Context = (typeof CONTEXTS)[number];

export type MenuName = 'app' | 'file' | 'edit' | 'view' | 'session' | 'window' | 'help';

interface CommandRow {
  readonly title: string;
  readonly category: 'Session' | 'Pane' | 'Go' | 'Find' | 'Edit' | 'Terminal' | 'Claude' | 'View' | 'Window' | 'Application';
  readonly mac: readonly string[];
  readonly other: readonly string[];
  readonly when: Context;
  /** The application menu that shows it; null: palette and keys only. */
  readonly menu: MenuName | null;
}

export const COMMANDS = {
  'session.newTerminal': row('New terminal', 'Session', ['cmd+t'], ['ctrl+shift+t'], 'always', 'file'),
  'session.newTerminalWith': row('New terminal with options', 'Session', [], [], 'always', 'file'),
  'session.newClaude': row('New Claude session', 'Session', ['cmd+n'], ['ctrl+shift+n'], 'always', 'file'),
  'session.rename': row('Rename session', 'Session', ['cmd+shift+r'], ['f2'], 'always', 'session'),
  'session.restart': row('Restart session', 'Session', [], [], 'always', 'session'),
  'session.interrupt': row('Interrupt', 'Session', [], [], 'always', 'session'),
  'session.fork': row('Fork conversation', 'Session', [], [], 'claude', 'session'),
  'session.close': row('Close session', 'Session', [], [], 'always', 'session'),
  'session.delete': row('Delete ended session', 'Session', [], [], 'always', 'session'),

  'pane.close': row('Close pane', 'Pane', ['cmd+w'], ['ctrl+shift+w'], 'always', 'file'),
  'pane.reopen': row('Reopen closed pane', 'Pane', ['cmd+shift+t'], ['ctrl+shift+alt+t'], 'always', 'file'),
  'pane.splitRight': row('Split right', 'Pane', ['cmd+d'], ['ctrl+shift+d'], 'always', 'view'),
  'pane.splitDown': row('Split down', 'Pane', ['cmd+shift+d'], ['ctrl+shift+e'], 'always', 'view'),
  'pane.zoom': row('Zoom pane', 'Pane', ['cmd+shift+enter'], ['ctrl+shift+enter'], 'always', 'view'),
  'pane.focusLeft': row('Go to pane on the left', 'Go', ['cmd+alt+left'], ['ctrl+alt+left'], 'always', null),
  'pane.focusRight': row('Go to pane on the right', 'Go', ['cmd+alt+right'], ['ctrl+alt+right'], 'always', null),
  'pane.focusUp': row('Go to pane above', 'Go', ['cmd+alt+up'], ['ctrl+alt+up'], 'always', null),
  'pane.focusDown': row('Go to pane below', 'Go', ['cmd+alt+down'], ['ctrl+alt+down'], 'always', null),
  'tab.next': row('Next tab', 'Go', ['ctrl+tab', 'cmd+shift+]'], ['ctrl+tab', 'ctrl+pagedown'], 'always', 'window'),
  'tab.previous': row(
    'Previous tab',
    'Go',
    ['ctrl+shift+tab', 'cmd+shift+['],
    ['ctrl+shift+tab', 'ctrl+pageup'],
    'always',
    'window',
  ),
  'tab.go1': row('Go to tab 1', 'Go', ['cmd+1'], ['alt+1'], 'always', null),
  'tab.go2': row('Go to tab 2', 'Go', ['cmd+2'], ['alt+2'], 'always', null),
  'tab.go3': row('Go to tab 3', 'Go', ['cmd+3'], ['alt+3'], 'always', null),
  'tab.go4': row('Go to tab 4', 'Go', ['cmd+4'], ['alt+4'], 'always', null),
  'tab.go5': row('Go to tab 5', 'Go', ['cmd+5'], ['alt+5'], 'always', null),
  'tab.go6': row('Go to tab 6', 'Go', ['cmd+6'], ['alt+6'], 'always', null),
  'tab.go7': row('Go to tab 7', 'Go', ['cmd+7'], ['alt+7'], 'always', null),
  'tab.go8': row('Go to tab 8', 'Go', ['cmd+8'], ['alt+8'], 'always', null),
  'tab.goLast': row('Go to last tab', 'Go', ['cmd+9'], ['alt+9'], 'always', null),
  'go.palette': row('Command palette', 'Go', ['cmd+shift+p'], ['ctrl+shift+p'], 'always', 'view'),
  'go.session': row('Go to session', 'Go', ['cmd+p'], ['ctrl+shift+o'], 'always', 'session'),
  'go.attention': row('Go to next session that needs you', 'Go', ['cmd+shift+j'], ['ctrl+shift+j'], 'always', 'session'),
  'go.region': row('Go to next region', 'Go', ['f6'], ['f6'], 'always', null),
  'go.regionBack': row('Go to previous region', 'Go', ['shift+f6'], ['shift+f6'], 'always', null),

  'find.show': row('Find', 'Find', ['cmd+f'], ['ctrl+shift+f'], 'always', 'edit'),
  'find.next': row('Find next', 'Find', ['cmd+g', 'f3'], ['f3'], 'always', 'edit'),
  'find.previous': row('Find previous', 'Find', ['cmd+shift+g', 'shift+f3'], ['shift+f3'], 'always', 'edit'),
  'find.everywhere': row('Find in all sessions', 'Find', ['cmd+shift+f'], ['ctrl+shift+alt+f'], 'always', 'edit'),
  'find.close': row('Close find', 'Find', ['escape'], ['escape'], 'find', null),

  'edit.copy': row('Copy', 'Edit', ['cmd+c'], ['ctrl+shift+c', 'ctrl+insert'], 'terminal', 'edit'),
  'edit.paste': row('Paste', 'Edit', ['cmd+v'], ['ctrl+shift+v', 'shift+insert'], 'terminal', 'edit'),
  'edit.selectAll': row('Select all', 'Edit', ['cmd+a'], ['ctrl+shift+a'], 'terminal', 'edit'),
  'terminal.clear': row('Clear terminal', 'Terminal', ['cmd+k'], ['ctrl+shift+k'], 'terminal', 'session'),
  'terminal.scrollPageUp': row(
    'Scroll up a page',
    'Terminal',
    ['cmd+pageup', 'shift+pageup'],
    ['shift+pageup'],
    'terminal',
    null,
  ),
  'terminal.scrollPageDown': row(
    'Scroll down a page',
    'Terminal',
    ['cmd+pagedown', 'shift+pagedown'],
    ['shift+pagedown'],
    'terminal',
    null,
  ),
  'terminal.scrollToTop': row('Scroll to top', 'Terminal', ['cmd+home', 'shift+home'], ['shift+home'], 'terminal', null),
  'terminal.scrollToBottom': row('Scroll to bottom', 'Terminal', ['cmd+end', 'shift+end'], ['shift+end'], 'terminal', null),
  'terminal.previousCommand': row('Previous command', 'Terminal', ['cmd+up'], ['ctrl+up'], 'terminal', null),
  'terminal.nextCommand': row('Next command', 'Terminal', ['cmd+down'], ['ctrl+down'], 'terminal', null),
  'terminal.history': row('Show whole history', 'Terminal', [], [], 'terminal', 'session'),
  'terminal.copyOutput': row('Copy output of last command', 'Terminal', [], [], 'terminal', 'edit'),
  'terminal.tabMovesFocus': row('Tab leaves the terminal, or not', 'Terminal', ['ctrl+m'], ['ctrl+m'], 'terminal', null),

  'claude.interrupt': row('Interrupt Claude', 'Claude', ['escape'], ['escape'], 'claude', null),
  'claude.cycleMode': row('Next permission mode', 'Claude', ['shift+tab'], ['shift+tab'], 'claude', null),
  'claude.pickModel': row('Choose model', 'Claude', ['alt+p'], ['alt+p'], 'claude', 'session'),
  'claude.unfoldAll': row('Unfold or fold all tool calls', 'Claude', ['ctrl+o'], ['ctrl+o'], 'claude', null),
  'permission.allow': row('Allow', 'Claude', ['1', 'cmd+enter'], ['1', 'ctrl+enter'], 'permission', null),
  'permission.allowSession': row('Allow for session', 'Claude', ['2'], ['2'], 'permission', null),
  'permission.deny': row('Deny', 'Claude', ['3'], ['3'], 'permission', null),
  'permission.leave': row('Leave the request open', 'Claude', ['escape'], ['escape'], 'permission', null),

  'view.sidebar': row('Show or hide sidebar', 'View', ['cmd+b'], ['ctrl+shift+b'], 'always', 'view'),
  'view.fontLarger': row('Larger text', 'View', ['cmd+=', 'cmd++'], ['ctrl+=', 'ctrl++'], 'always', 'view'),
  'view.fontSmaller': row('Smaller text', 'View', ['cmd+-'], ['ctrl+-'], 'always', 'view'),
  'view.fontReset': row('Normal text size', 'View', ['cmd+0'], ['ctrl+0'], 'always', 'view'),
  'view.fullScreen': row('Full screen', 'View', ['ctrl+cmd+f'], ['f11'], 'always', 'view'),
  'view.accessible': row('Show pane as plain text', 'View', ['alt+f2'], ['alt+f2'], 'always', 'view'),

  'machines.show': row('Machines', 'Application', [], [], 'always', 'view'),
  'machines.add': row('Add a machine', 'Application', [], [], 'always', 'file'),
  'machines.join': row('Join another machine', 'Application', [], [], 'always', 'file'),
  'settings.show': row('Settings', 'Application', ['cmd+,'], ['ctrl+,'], 'always', 'app'),
  'settings.openFile': row('Open settings.json', 'Application', [], [], 'always', null),
  'app.installCommand': row("Install the 'baton' command", 'Application', [], [], 'always', 'help'),
  'help.shortcuts': row('Keyboard shortcuts', 'Application', ['alt+f1', 'cmd+/'], ['alt+f1'], 'always', 'help'),
  'window.new': row('New window', 'Window', ['cmd+shift+n'], ['ctrl+shift+alt+n'], 'always', 'file'),
  'window.close': row('Close window', 'Window', ['cmd+shift+w'], ['ctrl+shift+alt+w'], 'always', 'file'),
  'app.quit': row('Quit Baton', 'Application', ['cmd+q'], ['ctrl+shift+q'], 'always', 'app'),
} as const satisfies Record<string, CommandRow>;

export type CommandId = keyof typeof COMMANDS;
export const COMMAND_IDS = Object.keys(COMMANDS) as CommandId[];

/** What `shell:command` can carry besides the commands of the table: bring the session with that runId into view. */
export const SHOW_SESSION = 'session.show';

export function isCommandId(id: string): id is CommandId {
  return Object.hasOwn(COMMANDS, id);
}

function row(
  title: string,
  category: CommandRow['category'],
  mac: readonly string[],
  other: readonly string[],
  when: Context,
  menu: MenuName | null,
): CommandRow {
  return { title, category, mac, other, when, menu };
}

/** One row of keybindings.json. `-command` takes the keys away from that command. */
export const Keybinding = z.object({
  key: z.string().check(z.maxLength(64)),
  command: z.string().check(z.maxLength(128)),
  when: z.optional(z.enum(CONTEXTS)),
});
export type Keybinding = z.infer<typeof Keybinding>;

/** One stroke. `key` is a lower-case name: a letter, digit or sign, or one of KEY_NAMES. */
export interface Chord {
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly alt: boolean;
  readonly cmd: boolean;
  readonly key: string;
}

/** name here -> {DOM `key`, Electron accelerator}. */
const KEY_NAMES: Readonly<Record<string, { readonly dom: string; readonly accelerator: string; readonly mac: string }>> = {
  left: { dom: 'arrowleft', accelerator: 'Left', mac: '←' },
  right: { dom: 'arrowright', accelerator: 'Right', mac: '→' },
  up: { dom: 'arrowup', accelerator: 'Up', mac: '↑' },
  down: { dom: 'arrowdown', accelerator: 'Down', mac: '↓' },
  enter: { dom: 'enter', accelerator: 'Enter', mac: '↩' },
  escape: { dom: 'escape', accelerator: 'Esc', mac: 'Esc' },
  tab: { dom: 'tab', accelerator: 'Tab', mac: '⇥' },
  space: { dom: ' ', accelerator: 'Space', mac: 'Space' },
  backspace: { dom: 'backspace', accelerator: 'Backspace', mac: '⌫' },
  delete: { dom: 'delete', accelerator: 'Delete', mac: '⌦' },
  insert: { dom: 'insert', accelerator: 'Insert', mac: 'Insert' },
  home: { dom: 'home', accelerator: 'Home', mac: 'Home' },
  end: { dom: 'end', accelerator: 'End', mac: 'End' },
  pageup: { dom: 'pageup', accelerator: 'PageUp', mac: 'PgUp' },
  pagedown: { dom: 'pagedown', accelerator: 'PageDown', mac: 'PgDn' },
};

/** Signs whose DOM `key` changes with Shift are recognised by the physical key of a US layout as well. */
const SIGN_CODES: Readonly<Record<string, string>> = {
  '[': 'BracketLeft',
  ']': 'BracketRight',
  '=': 'Equal',
  '-': 'Minus',
  ',': 'Comma',
  '.': 'Period',
  '/': 'Slash',
  ';': 'Semicolon',
  "'": 'Quote',
  '`': 'Backquote',
  '\\': 'Backslash',
};

const MODIFIERS: Readonly<Record<string, 'ctrl' | 'shift' | 'alt' | 'cmd'>> = {
  ctrl: 'ctrl',
  shift: 'shift',
  alt: 'alt',
  option: 'alt',
  cmd: 'cmd',
  meta: 'cmd',
  win: 'cmd',
};

/** null: not a key stroke that Baton understands. */
export function parseChord(keys: string): Chord | null {
  const text = keys.trim().toLowerCase();
  // `ctrl++` names the plus key.
  const key = text.endsWith('++') || text === '+' ? '+' : text.slice(text.lastIndexOf('+') + 1);
  const names = text
    .slice(0, text.length - key.length)
    .split('+')
    .filter((name) => name !== '');
  const modifiers = names.map((name) => MODIFIERS[name]);
  if (modifiers.includes(undefined) || new Set(modifiers).size !== names.length) return null;
  const isKey = key.length === 1 ? key > ' ' : Object.hasOwn(KEY_NAMES, key) || /^f([1-9]|1[0-9]|2[0-4])$/.test(key);
  if (!isKey) return null;
  const has = (name: 'ctrl' | 'shift' | 'alt' | 'cmd') => modifiers.includes(name);
  return { ctrl: has('ctrl'), shift: has('shift'), alt: has('alt'), cmd: has('cmd'), key };
}

/** What a KeyboardEvent has of which we need no more. */
export interface KeyStroke {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

export function matchesChord(chord: Chord, stroke: KeyStroke): boolean {
  if (chord.ctrl !== stroke.ctrlKey || chord.alt !== stroke.altKey || chord.cmd !== stroke.metaKey) return false;
  const typed = stroke.key.toLowerCase();
  // A sign such as + needs Shift on many layouts: then Shift is part of typing it, not of the stroke.
  if (chord.key.length === 1 && !/[a-z0-9]/.test(chord.key) && typed === chord.key)
    return chord.shift === stroke.shiftKey || !chord.shift;
  if (chord.shift !== stroke.shiftKey) return false;
  if (typed === (KEY_NAMES[chord.key]?.dom ?? chord.key)) return true;
  // Alt and Shift change what a letter or digit types; the physical key still says which one it was.
  if (/^[a-z]$/.test(chord.key)) return (stroke.altKey || typed > '~') && stroke.code === `Key${chord.key.toUpperCase()}`;
  if (/^[0-9]$/.test(chord.key)) return (stroke.altKey || stroke.shiftKey) && stroke.code === `Digit${chord.key}`;
  return stroke.shiftKey && SIGN_CODES[chord.key] === stroke.code;
}

/** How a stroke is written for people: ⌘⇧P, Ctrl+Shift+P. */
export function chordLabel(chord: Chord, isMac: boolean): string {
  const name = KEY_NAMES[chord.key];
  if (isMac) {
    const signs = `${chord.ctrl ? '⌃' : ''}${chord.alt ? '⌥' : ''}${chord.shift ? '⇧' : ''}${chord.cmd ? '⌘' : ''}`;
    return signs + (name?.mac ?? chord.key.toUpperCase());
  }
  const modifiers = [chord.ctrl && 'Ctrl', chord.shift && 'Shift', chord.alt && 'Alt', chord.cmd && 'Win'];
  return [...modifiers.filter(Boolean), name ? name.accelerator : chord.key.toUpperCase()].join('+');
}

/** How Electron's menus write it. */
export function chordAccelerator(chord: Chord): string {
  const modifiers = [chord.ctrl && 'Control', chord.alt && 'Alt', chord.shift && 'Shift', chord.cmd && 'Command'];
  const key = chord.key === '+' ? 'Plus' : (KEY_NAMES[chord.key]?.accelerator ?? chord.key.toUpperCase());
  return [...modifiers.filter(Boolean), key].join('+');
}

export interface BoundKey {
  readonly chord: Chord;
  readonly command: CommandId;
  readonly when: Context;
}

/**
 * The keys in force: defaults, changed by the user's rows from top to bottom. Of several that match one stroke the LAST one wins.
 * `problems` names rows that say nothing Baton understands; they are left out.
 */
export function resolveKeymap(
  isMac: boolean,
  rows: readonly Keybinding[],
): { readonly bindings: readonly BoundKey[]; readonly problems: readonly string[] } {
  let bindings: BoundKey[] = COMMAND_IDS.flatMap((command) =>
    defaultKeys(command, isMac).map((keys) => ({ chord: chordOf(keys), command, when: COMMANDS[command].when })),
  );
  const problems: string[] = [];
  for (const { key, command: named, when } of rows) {
    const isRemoval = named.startsWith('-');
    const command = isRemoval ? named.slice(1) : named;
    const chord = parseChord(key);
    if (!isCommandId(command)) problems.push(`${key}: there is no command "${command}".`);
    else if (chord === null) problems.push(`${command}: "${key}" is not a key stroke.`);
    else if (isRemoval) bindings = bindings.filter((bound) => bound.command !== command || !sameChord(bound.chord, chord));
    else bindings.push({ chord, command, when: when ?? COMMANDS[command].when });
  }
  return { bindings, problems };
}

export function defaultKeys(command: CommandId, isMac: boolean): readonly string[] {
  return isMac ? COMMANDS[command].mac : COMMANDS[command].other;
}

export function sameChord(a: Chord, b: Chord): boolean {
  return a.key === b.key && a.ctrl === b.ctrl && a.shift === b.shift && a.alt === b.alt && a.cmd === b.cmd;
}

function chordOf(keys: string): Chord {
  const chord = parseChord(keys);
  if (chord === null) throw new Error(`the keymap's own keys "${keys}" are not a key stroke`);
  return chord;
}
