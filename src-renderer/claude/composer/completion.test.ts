import { describe, expect, it } from 'vitest';
import { complete, matchCommands, triggerAt } from './completion.ts';

const at = (marked: string) => triggerAt(marked.replace('|', ''), marked.indexOf('|'));
const command = (name: string) => ({ name, description: '', argumentHint: '' });

describe('what is completed', () => {
  it('is a command only at the very beginning, and until its first blank', () => {
    expect(at('/|')).toEqual({ kind: 'command', query: '', from: 0, to: 1 });
    expect(at('/com|pact')).toMatchObject({ kind: 'command', query: 'com' });
    for (const text of ['/compact |', 'say /com|', ' /com|', '/usr/bin|']) expect(at(text), text).toBe(null);
  });

  it('is a file after an @ that begins a word', () => {
    expect(at('look at @src/a|')).toEqual({ kind: 'file', query: 'src/a', from: 8, to: 14 });
    expect(at('@|')).toMatchObject({ kind: 'file', query: '' });
    expect(at('line\n@x|')).toMatchObject({ kind: 'file', query: 'x' });
    for (const text of ['me@example|', '@a b|', '@a @|@']) expect(at(text)?.query ?? null, text).not.toBe('example');
    expect(at('me@example|')).toBe(null);
  });

  it('takes the place of what was typed, with a blank behind a file but not behind a folder', () => {
    const trigger = at('see @fen| now');
    if (trigger === null) throw new Error('nothing to complete');
    expect(complete('see @fen now', trigger, '@src/fence.ts')).toEqual({ text: 'see @src/fence.ts now', caret: 17 });
    expect(complete('see @fen', { ...trigger, to: 8 }, '@src/fence.ts')).toEqual({ text: 'see @src/fence.ts ', caret: 18 });
    expect(complete('see @fen', { ...trigger, to: 8 }, '@src/')).toEqual({ text: 'see @src/', caret: 9 });
  });

  it('offers commands that begin so before those that only hold it', () => {
    const commands = ['autocompact', 'update-config', 'compact', 'context', 'clear'].map(command);
    expect(matchCommands(commands, 'co', 10).map(({ name }) => name)).toEqual([
      'compact',
      'context',
      'update-config',
      'autocompact',
    ]);
    expect(matchCommands(commands, 'cpt', 10).map(({ name }) => name)).toEqual(['autocompact', 'compact']);
    expect(matchCommands(commands, '', 2)).toHaveLength(2);
    expect(matchCommands(commands, 'zzz', 10)).toEqual([]);
  });
});
