import { describe, expect, it } from 'vitest';
import { countChanges, patchOf, toHunkData } from './patch.ts';

const asked = (name: string, input: Parameters<typeof patchOf>[0]['input']) => patchOf({ name, input, result: null });

describe('the change that a call makes', () => {
  it('is what it asks for before it has been made', () => {
    const patch = asked('Edit', { file_path: 'a.ts', old_string: 'one\ntwo\nthree', new_string: 'one\n2\nthree\nfour' });
    expect(patch).toMatchObject({ path: 'a.ts', isNew: false, isExcerpt: true });
    expect(patch?.hunks[0]?.lines).toEqual([' one', '-two', '+2', ' three', '+four']);
    expect(countChanges(patch?.hunks ?? [])).toEqual({ added: 2, removed: 1 });
  });

  it('is the whole file where it is written new', () => {
    const patch = asked('Write', { file_path: 'a.ts', content: 'one\ntwo\n' });
    expect(patch).toMatchObject({ isNew: true, hunks: [{ lines: ['+one', '+two'] }] });
  });

  it('holds every edit of several', () => {
    const edits = [{ old_string: 'a', new_string: 'b' }, { old_string: 'c', new_string: 'd' }, { old_string: 'no new one' }];
    expect(asked('MultiEdit', { file_path: 'a.ts', edits })?.hunks).toHaveLength(2);
  });

  it('is none for a call that changes no file', () => {
    expect(asked('Bash', { command: 'ls' })).toBe(null);
  });

  it('numbers the lines of both sides, and draws no more than asked', () => {
    const hunk = {
      oldStart: 5,
      oldLines: 3,
      newStart: 7,
      newLines: 3,
      lines: [' a', '-b', '+B', ' c', '\\ No newline at end of file'],
    };
    const [drawn] = toHunkData([hunk], 100);
    expect(drawn?.changes).toEqual([
      { type: 'normal', isNormal: true, content: 'a', oldLineNumber: 5, newLineNumber: 7 },
      { type: 'delete', isDelete: true, content: 'b', lineNumber: 6 },
      { type: 'insert', isInsert: true, content: 'B', lineNumber: 8 },
      { type: 'normal', isNormal: true, content: 'c', oldLineNumber: 7, newLineNumber: 9 },
    ]);
    expect(toHunkData([hunk, hunk], 5).flatMap(({ changes }) => changes)).toHaveLength(5);
  });
});
