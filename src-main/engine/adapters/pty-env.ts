/**
 * What other terminals tell their own children and must not be told on: whoever finds it would talk to the wrong terminal.
 * A name that ends with `*` stands for all that begin so.
 */
const OTHER_TERMINALS = [
  'TMUX',
  'TMUX_PANE',
  'STY',
  'WINDOW',
  'WINDOWID',
  'TERMCAP',
  'COLUMNS',
  'LINES',
  'VTE_VERSION',
  'WT_SESSION',
  'WT_PROFILE_ID',
  'TERM_SESSION_ID',
  'TERM_FEATURES',
  'LC_TERMINAL',
  'LC_TERMINAL_VERSION',
  'ITERM_*',
  'KITTY_*',
  'GHOSTTY_*',
  'ALACRITTY_*',
  'WEZTERM_*',
  'KONSOLE_*',
  'VSCODE_*',
];

type Env = Readonly<Record<string, string>>;

/** A pane's environment: the machine's, this terminal's own description of itself, and what the session adds. */
export function paneEnv(machine: Env, added: Env, version: string, platform: NodeJS.Platform): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(machine)) if (!isOfOtherTerminal(name)) env[name] = value;
  Object.assign(env, { COLORTERM: 'truecolor', TERM_PROGRAM: 'Baton', TERM_PROGRAM_VERSION: version });
  // Without one, programs take every character beyond ASCII for rubbish.
  if (platform !== 'win32' && !env.LC_ALL && !env.LC_CTYPE && !env.LANG)
    env.LANG = platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  for (const [name, value] of Object.entries(added)) {
    if (platform === 'win32') removeSameName(env, name);
    env[name] = value;
  }
  return env;
}

function isOfOtherTerminal(name: string): boolean {
  return OTHER_TERMINALS.some((other) => (other.endsWith('*') ? name.startsWith(other.slice(0, -1)) : name === other));
}

/** Windows does not tell `Path` from `PATH`. */
function removeSameName(env: Record<string, string>, name: string): void {
  for (const key of Object.keys(env)) if (key.toLowerCase() === name.toLowerCase()) delete env[key];
}
