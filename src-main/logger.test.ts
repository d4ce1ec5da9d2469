import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allowed, openLogger, RotatingFile } from './logger.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('openLogger', () => {
  it('writes facts and leaves out what people typed, wherever it hides', () => {
    const logger = openLogger(folder, 'app');
    const canary = 'canary-4711';
    const error = new Error(`cannot parse "${canary}"`, { cause: new TypeError(canary) });
    const smuggled: object = { text: canary, title: canary, runId: 'run-1', reason: { canary } };
    logger.error('a session failed', { ...smuggled, pid: 7, error });
    logger.close();
    const text = readFileSync(join(folder, 'app.log'), 'utf8');
    expect(text).not.toContain(canary);
    expect(JSON.parse(text)).toMatchObject({
      msg: 'a session failed',
      runId: 'run-1',
      pid: 7,
      error: { name: 'Error', at: expect.arrayContaining([expect.stringMatching(/^at /)]), cause: { name: 'TypeError' } },
    });
    expect(statSync(join(folder, 'app.log')).mode & 0o777).toBe(0o600);
  });

  it('keeps the code of a system error, which says what is wrong', () => {
    const error = Object.assign(new Error('no'), { code: 'ENOSPC' });
    expect(allowed({ error })).toMatchObject({ error: { code: 'ENOSPC' } });
  });

  it('minds its level and takes a wrong one for info', () => {
    for (const level of ['error', 'nonsense']) {
      const logger = openLogger(folder, level, level);
      logger.debug('one');
      logger.info('two');
      logger.close();
    }
    expect(statSync(join(folder, 'error.log')).size).toBe(0);
    expect(readFileSync(join(folder, 'nonsense.log'), 'utf8')).toContain('two');
  });
});

describe('RotatingFile', () => {
  it('never grows beyond its bounds and loses only the oldest lines', () => {
    const file = new RotatingFile(folder, 'x', 20);
    for (let line = 10; line < 40; line++) file.write(`line ${line}\n`);
    file.close();
    const names = readdirSync(folder).sort();
    expect(names).toEqual(['x.1.log', 'x.2.log', 'x.3.log', 'x.log']);
    expect(names.map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([
      'line 36\nline 37\n',
      'line 34\nline 35\n',
      'line 32\nline 33\n',
      'line 38\nline 39\n',
    ]);
  });

  it('goes on in the file that is there', () => {
    for (const line of ['one\n', 'two\n']) {
      const file = new RotatingFile(folder, 'x', 100);
      file.write(line);
      file.close();
    }
    expect(readFileSync(join(folder, 'x.log'), 'utf8')).toBe('one\ntwo\n');
  });
});
