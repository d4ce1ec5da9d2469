import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sync as writeFileAtomic } from 'write-file-atomic';
import bashScript from '../shell-integration/bash.sh?raw';
import fishScript from '../shell-integration/baton.fish?raw';
import powershellScript from '../shell-integration/baton.ps1?raw';
import zshScript from '../shell-integration/zshenv.zsh?raw';
import type { Command } from './pty-command.ts';

/** Where in the integration folder each script lies. zsh wants a folder of its own with a fixed name in it. */
const FILES = {
  'bash.sh': bashScript,
  'zsh/.zshenv': zshScript,
  'baton.fish': fishScript,
  'baton.ps1': powershellScript,
};

/** Writes the scripts where they are missing or of another version. */
export function writeShellScripts(folder: string): void {
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (textOf(path) !== text) writeFileAtomic(path, text, { mode: 0o600 });
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * The same shell, told to read our script beside the user's own files: it marks prompts and commands (OSC 133) and reports the
 * folder (OSC 7). Nothing of the user's is changed. A shell that we know no way for stays as it is.
 */
export function withShellIntegration(
  command: Command,
  env: Readonly<Record<string, string>>,
  folder: string,
): Command & { env: Record<string, string> } {
  const { args, shell, isLogin } = command;
  switch (shell) {
    case 'bash': {
      // As a login shell it would not read the file it is given: it plays one, see bash.sh.
      const rest = args.filter((arg) => arg !== '-l' && arg !== '--login');
      const login = isLogin ? { BATON_LOGIN_SHELL: '1' } : {};
      return { ...command, args: ['--rcfile', join(folder, 'bash.sh'), ...rest], env: { ...env, ...login } };
    }
    case 'zsh': {
      const own = env.ZDOTDIR === undefined ? {} : { BATON_USER_ZDOTDIR: env.ZDOTDIR };
      return { ...command, env: { ...env, ...own, ZDOTDIR: join(folder, 'zsh') } };
    }
    case 'fish':
      return {
        ...command,
        args: ['--init-command', `source ${quoteForFish(join(folder, 'baton.fish'))}`, ...args],
        env: { ...env },
      };
    case 'pwsh':
    case 'powershell': {
      // Where scripts are forbidden by policy the shell simply stays as it is.
      const load = `try { . '${join(folder, 'baton.ps1').replaceAll("'", "''")}' } catch {}`;
      return { ...command, args: [...args, '-NoExit', '-Command', load], env: { ...env } };
    }
    case 'cmd': {
      const marked = { PROMPT: `$e]133;A$e\\$e]9;9;$P$e\\${env.PROMPT ?? '$P$G'}$e]133;B$e\\` };
      return { ...command, env: { ...env, ...marked } };
    }
    case null:
      return { ...command, env: { ...env } };
  }
}

function quoteForFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
