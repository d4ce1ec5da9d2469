import { writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './damage.ts';
import { openForReading } from './database.ts';
import type { SearchQuery } from './messages.ts';
import { rowId } from './row-id.ts';
import { Search } from './search.ts';
import { indexPath, logIdOf, openIndexForWriting, trigramQuery } from './search-index.ts';
import { Indexer } from './search-indexer.ts';
import { create, json, numbered, output, prompt, runIdOf, temporaryFolder, write } from './store.fixture.ts';
import type { SearchHit } from './store.ts';
import { Compaction, removeDeleted } from './trim.ts';
import { Writer } from './writer.ts';

let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
let writer: Writer;

beforeEach(() => {
  folder = temporaryFolder();
  db = openLog(folder.file).db;
  writer = new Writer(db, folder.file);
});

afterEach(() => {
  db.close();
  folder.remove();
});

/** Runs the indexer to its end; returns how many segments there are then. */
function index({ maxSteps = Number.POSITIVE_INFINITY, backlogBytes = 1e9 } = {}): number {
  const log = openForReading(folder.file);
  const target = openIndexForWriting(folder.file, logIdOf(log));
  const indexer = new Indexer(log, target, backlogBytes);
  for (let steps = 0; steps < maxSteps && indexer.step(); steps++);
  const segments = target.prepare<[], { count: number }>('SELECT count(*) AS count FROM segments').get()?.count ?? 0;
  target.close();
  log.close();
  return segments;
}

async function search(query: string, rest: Partial<SearchQuery> = {}) {
  return new Search(db, folder.file).run({ query, key: null, limit: 50, cursor: null, ...rest });
}

/** All pages. */
async function searchAll(query: string, rest: Partial<SearchQuery> = {}): Promise<SearchHit[]> {
  const hits: SearchHit[] = [];
  let cursor: string | null = null;
  do {
    const page = await search(query, { ...rest, cursor });
    hits.push(...page.hits);
    cursor = page.cursor;
  } while (cursor !== null);
  return hits;
}

const places = (hits: readonly SearchHit[]) => hits.map(({ runId, seq }) => [Number(runId.slice(-3)), seq]);
const append = (key: number, from: number, ...texts: string[]) =>
  write(writer, { key, events: numbered(runIdOf(key), from, texts.map(output)) });

describe.each([
  ['without an index', () => 0],
  ['with an index', () => index()],
])('search %s', (_, prepare) => {
  it('finds text in prompts, transcripts and output, in its line, newest first', async () => {
    create(writer, 1, [prompt('please Fix the parser\nsoon')]);
    const entries = [{ type: 'assistant', message: { content: [{ type: 'text', text: 'I will fix it' }] } }];
    create(writer, 2, [json({ subpath: null, entries }, 'claude:transcript', 'entries')]);
    create(writer, 3, [output('no match\r\n'), output('first line\r\nto \x1b[31mfi\x1b[0mx this: now\r\nlast line\r\n')]);
    prepare();
    const hits = await searchAll('fix');
    expect(hits.map(({ runId, channel, before, match, after }) => [runId, channel, before, match, after])).toEqual([
      [runIdOf(3), 'pty:stdout', 'to ', 'fix', ' this: now'],
      [runIdOf(2), 'claude:transcript', 'I will ', 'fix', ' it'],
      [runIdOf(1), 'run:prompt', 'please ', 'Fix', ' the parser'],
    ]);
    expect(hits[0]?.ts).toBe(numbered(runIdOf(3), 2, [output('')])[0]?.ts);
  });

  it('takes the query as it is written, not as a pattern', async () => {
    create(writer, 1, [output('a.b*c [x] (y) "quoted" $1 | -- end\r\n'), output('aXbbc\r\n')]);
    prepare();
    for (const query of ['a.b*c', '[x] (y)', '"quoted"', '$1 | --', '-- end']) {
      expect(places(await searchAll(query))).toEqual([[1, 1]]);
    }
    expect(await searchAll('.*')).toEqual([]);
  });

  it('finds what is shorter than three characters, and what is not ASCII', async () => {
    create(writer, 1, [output('Größe: 3 ☃🎉\r\n'), output('ls\r\n')]);
    prepare();
    for (const query of ['größe', '☃🎉', '🎉', ': 3', 'ö']) expect(places(await searchAll(query))).toEqual([[1, 1]]);
    expect(places(await searchAll('LS'))).toEqual([[1, 2]]);
  });

  it('finds text that was cut anywhere between events, once, where it begins', async () => {
    create(writer, 1, [output('say hel'), output('lo wor'), output('ld\r\nhello world\r\n')]);
    prepare();
    const hits = await searchAll('hello world');
    expect(places(hits)).toEqual([
      [1, 3],
      [1, 1],
    ]);
    expect(hits.map(({ before }) => before)).toEqual(['', 'say ']);
  });

  it('gives every hit once, in the same order, whatever the page size', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => output(`needle ${n} ${'hay '.repeat(n * 10)} needle\r\n`));
    create(writer, 1, lines);
    create(writer, 2, lines.slice(0, 40));
    prepare();
    for (const key of [1, null]) {
      const whole = await searchAll('needle', { key, limit: 500 });
      expect(whole).toHaveLength(key === 1 ? 120 : 200);
      for (const limit of [3, 64]) expect(await searchAll('needle', { key, limit })).toEqual(whole);
    }
  });

  it('in one session goes backwards through it alone', async () => {
    create(writer, 1, [output('x needle\r\n'), output('x\r\n'), output('y needle z needle\r\n')]);
    create(writer, 2, [output('needle\r\n')]);
    prepare();
    expect(places(await searchAll('needle', { key: 1 }))).toEqual([
      [1, 3],
      [1, 3],
      [1, 1],
    ]);
  });
});

describe('the index', () => {
  it('is a help and not a condition: what came after it is found as well, once', async () => {
    create(writer, 1, [output('needle one\r\n'), output('prompt$ nee')]);
    index();
    append(1, 3, 'dle two\r\n', 'needle three\r\n');
    const expected = [
      [1, 4],
      [1, 2],
      [1, 1],
    ];
    expect(places(await searchAll('needle'))).toEqual(expected);
    expect(places(await searchAll('needle', { key: 1 }))).toEqual(expected);
    index();
    expect(places(await searchAll('needle'))).toEqual(expected);
    expect(places(await searchAll('needle', { key: 1 }))).toEqual(expected);
    index();
    append(1, 5, 'more\r\n');
    expect(places(await searchAll('needle'))).toEqual(expected);
  });

  it('goes on where it was stopped', async () => {
    const line = (n: number) => output(`needle ${n} ${'x'.repeat(2000)}\r\n`);
    create(
      writer,
      1,
      Array.from({ length: 400 }, (_, n) => line(n)),
    );
    expect(index({ maxSteps: 2 })).toBeGreaterThan(0);
    expect(await searchAll('needle')).toHaveLength(400);
    const segments = index();
    expect(segments).toBeGreaterThan(20);
    expect(index()).toBe(segments);
    expect(await searchAll('needle')).toHaveLength(400);
    expect(await searchAll('needle 123', { key: 1 })).toHaveLength(1);
  });

  it('says no without reading the log', async () => {
    create(writer, 1, [output('nothing here\r\n')]);
    index();
    // Were the event looked at, this would be found.
    db.exec(`UPDATE events SET payload = CAST('needle' AS BLOB)`);
    expect(await searchAll('needle')).toEqual([]);
  });

  it('forgets what was deleted and what was compacted', async () => {
    const lines = Array.from({ length: 100 }, (_, n) => output(`needle ${n} ${'x'.repeat(2000)}\r\n`));
    create(writer, 1, lines);
    create(writer, 2, lines);
    const before = index();
    const compaction = new Compaction(db, writer, 1, 100_000);
    while (compaction.step());
    write(writer, { key: 2, extra: { op: 'delete', key: 2 } });
    expect((await searchAll('needle')).length).toBeLessThan(60);
    while (removeDeleted(db, writer));
    expect(index()).toBeLessThan(before / 2);
    expect((await searchAll('needle')).every(({ runId }) => runId === runIdOf(1))).toBe(true);
  });

  it('of another log, or damaged, is made anew', async () => {
    create(writer, 1, [output('needle\r\n')]);
    index();
    db.exec(`UPDATE facts SET value_json = '"another"' WHERE name = 'logId'`);
    expect(await searchAll('needle')).toHaveLength(1);
    expect(index()).toBe(1);
    writeFileSync(indexPath(folder.file), 'no database');
    expect(await searchAll('needle')).toHaveLength(1);
    expect(index()).toBe(1);
    expect(await searchAll('needle')).toHaveLength(1);
  });

  it('leaves out the beginning of output that came in too large a flood; within its session that is found all the same', async () => {
    const flood = Array.from({ length: 36 }, (_, n) => output(`${n === 0 ? 'needle' : 'hay'} ${'x'.repeat(1000)}\r\n`));
    create(writer, 1, flood);
    append(1, 37, 'needle\r\n');
    index({ backlogBytes: 32_000 });
    expect(places(await searchAll('needle'))).toEqual([[1, 37]]);
    expect(places(await searchAll('needle', { key: 1 }))).toEqual([
      [1, 37],
      [1, 1],
    ]);
  });
});

it('answers with what it has, and a cursor, when it has looked through much', async () => {
  create(
    writer,
    1,
    Array.from({ length: 20 }, () => output(`${'x'.repeat(1024 * 1024)}\r\n`)),
  );
  const page = await search('needle', { key: 1 });
  expect(page.hits).toEqual([]);
  expect(page.cursor).not.toBeNull();
  expect((await search('needle', { key: 1, cursor: page.cursor })).cursor).toBeNull();
});

it('refuses a cursor that is not one', async () => {
  create(writer, 1, [output('x')]);
  for (const cursor of ['', 'x', '{}', '{"in":"session"}', '[1]']) {
    await expect(search('x', { cursor })).rejects.toMatchObject({ code: 'bad-cursor' });
  }
});

it('asks the index for all trigrams of the query', () => {
  expect(trigramQuery('ab')).toBeNull();
  expect(trigramQuery('abc')).toBe('"abc"');
  expect(trigramQuery('a"bc')).toBe('"a""b" AND """bc"');
  expect(trigramQuery('aaaa')).toBe('"aaa"');
  expect(rowId(1, 1)).toBe(2 ** 32 + 1);
});
