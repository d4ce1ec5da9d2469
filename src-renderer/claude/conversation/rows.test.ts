import { describe, expect, it } from 'vitest';
import { EMPTY_CONVERSATION, foldEvents } from '../../../src-shared/conversation/conversation.ts';
import { newEvent } from '../../../src-shared/events.ts';
import { SampleLog, sampleLog } from '../../../src-shared/sim/sample-conversation.ts';
import { isUntouched, promptsOf, type Row, rowsOfTurn } from './rows.ts';

const turnsOf = (log: SampleLog) => foldEvents(EMPTY_CONVERSATION, log.events).turns;
const kinds = (rows: readonly Row[]) => rows.map((row) => (row.kind === 'item' ? row.item.kind : row.kind));
const plain = (log: SampleLog) => turnsOf(log).flatMap((turn) => rowsOfTurn(turn, false));

describe('rows of a conversation', () => {
  it('fold calls in a row that only look into one', () => {
    const [, turn] = turnsOf(sampleLog());
    if (turn === undefined) throw new Error('no such turn');
    expect(kinds(rowsOfTurn(turn, false))).toEqual(['prompt', 'thinking', 'text', 'group', 'text', 'end']);
  });

  it('leave a single look, and one that waits for the user, where they are', () => {
    const log = new SampleLog();
    log.prompt('Look');
    const ids = ['a', 'b', 'c'].map((path) => log.tool('Read', { file_path: path }));
    log.asked(ids[1] ?? '', 'Read', { file_path: 'b' });
    expect(kinds(plain(log))).toEqual(['prompt', 'tool', 'tool', 'tool']);
  });

  it('leave out book-keeping and thinking that was kept back, unless everything is asked for', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    log.message([{ type: 'redacted_thinking', data: 'x' }]);
    const [turn] = turnsOf(log);
    if (turn === undefined) throw new Error('no such turn');
    expect(kinds(rowsOfTurn(turn, false))).toEqual(['prompt']);
    expect(kinds(rowsOfTurn(turn, true))).toEqual(['prompt', 'quiet', 'quiet', 'thinking']);
    expect(rowsOfTurn(turn, false)).toBe(rowsOfTurn(turn, false));
  });

  it('tell of a start only after an end, and of an interruption once', () => {
    const log = new SampleLog().created();
    const prompt = log.prompt('Hello');
    log.entries([{ type: 'user', message: { content: '[Request interrupted by user]' } }]);
    log.end(prompt, 'interrupted');
    expect(kinds(plain(log))).toEqual(['prompt', 'end']);
    log.append(newEvent('system:status', 'exited', { exitCode: 0, signal: null, reason: null }));
    log.append(newEvent('system:status', 'started', { pid: 1, command: null }));
    expect(kinds(plain(log))).toEqual(['prompt', 'end', 'notice', 'notice']);
  });

  it('have keys that are theirs alone', () => {
    const keys = plain(sampleLog()).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('count setting up as nothing said', () => {
    const log = new SampleLog().created();
    log.append(newEvent('claude:init', 'options', { permissionMode: 'plan' }));
    expect(isUntouched(turnsOf(log))).toBe(true);
    log.prompt('Hello');
    expect(isUntouched(turnsOf(log))).toBe(false);
  });

  it('give what was said for the keys up and down, once where it was repeated', () => {
    const log = new SampleLog();
    for (const text of ['one', 'two', 'two', 'one']) log.end(log.prompt(text));
    expect(promptsOf(turnsOf(log))).toEqual(['one', 'two', 'one']);
  });
});
