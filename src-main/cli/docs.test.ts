import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT } from './failure.ts';
import { program } from './program.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const guide = readFileSync(join(docs, 'cli.md'), 'utf8');

/** Every command with its path, depth first. */
function commandsOf(command: Command, path: readonly string[] = []): { readonly path: string; readonly command: Command }[] {
  return command.commands.flatMap((child) => {
    const here = [...path, child.name()];
    return child.commands.length > 0 ? commandsOf(child, here) : [{ path: here.join(' '), command: child }];
  });
}

function referenceOf({ path, command }: { readonly path: string; readonly command: Command }): string {
  const help = command.createHelp();
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const args = help
    .visibleArguments(command)
    .map((argument) => [help.argumentTerm(argument), help.argumentDescription(argument)]);
  const options = help.visibleOptions(command).flatMap((option) => {
    return option.long === '--help' ? [] : [[help.optionTerm(option), help.optionDescription(option)]];
  });
  const rows = [...args, ...options].map(([term = '', text = '']) => `| \`${cell(term)}\` | ${cell(text)} |`);
  const usage = ['baton', path, command.usage()].join(' ').replace(' [options]', options.length > 0 ? ' [options]' : '');
  const alias = command.alias() ? ` (also \`${command.alias()}\`)` : '';
  return [
    `## baton ${path}${alias}`,
    command.description(),
    `\`${usage}\``,
    ...(rows.length > 0 ? [`| | |\n| --- | --- |\n${rows.join('\n')}`] : []),
  ].join('\n\n');
}

describe('the documentation', () => {
  it('lists every command as it is (docs/cli-commands.md; renew it with vitest -u)', async () => {
    const all = commandsOf(program(() => {})).map(referenceOf);
    const page = `# Commands of baton\n\nMade from the command line itself. How they are used: [cli.md](cli.md).\n\n${all.join('\n\n')}\n`;
    await expect(page).toMatchFileSnapshot(join(docs, 'cli-commands.md'));
  });

  it('names no command or option that is not there', () => {
    const known = commandsOf(program(() => {}));
    const options = new Set(known.flatMap(({ command }) => command.options.flatMap(({ long, short }) => [long, short])));
    const paths = known.map(({ path, command }) => [path, command.alias()]);
    const used = [...guide.matchAll(/^\s*(?:\$ )?(?:.*\| )?baton ([a-z].*)$/gm)].map(([, words = '']) => words);
    expect(used.length).toBeGreaterThan(10);
    for (const words of used) {
      expect(paths.some((names) => names.some((name) => name && `${words} `.startsWith(`${name} `)))).toBe(true);
      const own = words.split(' -- ')[0] ?? '';
      for (const [option] of own.matchAll(/(?<=\s)--?[a-z][\w-]*/g)) expect(options).toContain(option);
    }
  });

  it('has every exit code', () => {
    for (const code of Object.values(EXIT)) expect(guide).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
