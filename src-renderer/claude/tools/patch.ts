import { structuredPatch } from 'diff';
import type { ChangeData, HunkData } from 'react-diff-view';
import type { PatchHunk, ToolItem } from '../../../src-shared/conversation/conversation-items.ts';
import { wholeFile } from '../../../src-shared/conversation/conversation-result.ts';
import { inputText } from './describe.ts';

/** What a tool call changes, or wants to change, in one file. */
export interface Patch {
  readonly path: string;
  readonly hunks: readonly PatchHunk[];
  readonly isNew: boolean;
  /** Line numbers are those of the piece that is replaced, not of the file. */
  readonly isExcerpt: boolean;
}

const CONTEXT_LINES = 3;

/** The change of a call that has been carried out, else the one that its input asks for; null where it changes no file. */
export function patchOf(tool: Pick<ToolItem, 'name' | 'input' | 'result'>): Patch | null {
  const detail = tool.result?.detail;
  if (detail?.kind === 'patch') return { path: detail.path, hunks: detail.hunks, isNew: detail.isNew, isExcerpt: false };
  const { name, input } = tool;
  const path = inputText(input, 'file_path');
  switch (name) {
    case 'Write':
      return { path, hunks: [wholeFile(inputText(input, 'content'))], isNew: true, isExcerpt: false };
    case 'Edit':
      return {
        path,
        hunks: compare(inputText(input, 'old_string'), inputText(input, 'new_string')),
        isNew: false,
        isExcerpt: true,
      };
    case 'MultiEdit': {
      const edits = Array.isArray(input.edits) ? input.edits : [];
      const hunks = edits.flatMap((edit: unknown) => (isEdit(edit) ? compare(edit.old_string, edit.new_string) : []));
      return { path, hunks, isNew: false, isExcerpt: true };
    }
    default:
      return null;
  }
}

function isEdit(value: unknown): value is { old_string: string; new_string: string } {
  if (typeof value !== 'object' || value === null || !('old_string' in value) || !('new_string' in value)) return false;
  return typeof value.old_string === 'string' && typeof value.new_string === 'string';
}

function compare(before: string, after: string): readonly PatchHunk[] {
  const ended = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return structuredPatch('a', 'b', ended(before), ended(after), '', '', { context: CONTEXT_LINES }).hunks;
}

export function countChanges(hunks: readonly PatchHunk[]): { readonly added: number; readonly removed: number } {
  let added = 0;
  let removed = 0;
  for (const hunk of hunks)
    for (const line of hunk.lines) {
      if (line.startsWith('+')) added += 1;
      else if (line.startsWith('-')) removed += 1;
    }
  return { added, removed };
}

/** Hunks as react-diff-view takes them, at most `limit` lines in all. */
export function toHunkData(hunks: readonly PatchHunk[], limit: number): HunkData[] {
  const shown: HunkData[] = [];
  let left = limit;
  for (const hunk of hunks) {
    if (left <= 0) break;
    const changes = toChanges(hunk).slice(0, left);
    left -= changes.length;
    const { oldStart, oldLines, newStart, newLines } = hunk;
    const content = `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`;
    shown.push({ content, oldStart, oldLines, newStart, newLines, changes });
  }
  return shown;
}

function toChanges(hunk: PatchHunk): ChangeData[] {
  let { oldStart: oldLine, newStart: newLine } = hunk;
  return hunk.lines.flatMap((line): ChangeData[] => {
    const content = line.slice(1);
    if (line.startsWith('+')) return [{ type: 'insert', isInsert: true, content, lineNumber: newLine++ }];
    if (line.startsWith('-')) return [{ type: 'delete', isDelete: true, content, lineNumber: oldLine++ }];
    // "\ No newline at end of file" is no line of the file.
    if (line.startsWith('\\')) return [];
    return [{ type: 'normal', isNormal: true, content, oldLineNumber: oldLine++, newLineNumber: newLine++ }];
  });
}
