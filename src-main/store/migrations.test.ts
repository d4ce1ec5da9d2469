import { existsSync, statSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openForWriting } from './database.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { temporaryFolder } from './store.fixture.ts';

let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
const steps = [
  "CREATE TABLE notes (text TEXT) STRICT; INSERT INTO notes VALUES ('kept')",
  "ALTER TABLE notes ADD COLUMN colour TEXT; UPDATE notes SET colour = 'red'",
];

beforeEach(() => {
  folder = temporaryFolder();
  db = openForWriting(folder.file);
});

afterEach(() => {
  db.close();
  folder.remove();
});

const version = (of: Database) => of.pragma('user_version', { simple: true });

it('brings a new file to the newest schema without a copy', () => {
  expect(migrate(db, folder.file)).toBeNull();
  expect(version(db)).toBe(MIGRATIONS.length);
  expect(migrate(db, folder.file)).toBeNull();
});

it('copies an older file, what lies in its WAL included, before it changes it', () => {
  migrate(db, folder.file, steps.slice(0, 1));
  db.exec("INSERT INTO notes VALUES ('in the WAL')");
  const copy = migrate(db, folder.file, steps);
  expect(copy).toBe(`${folder.file}.format-1`);
  expect(db.prepare('SELECT * FROM notes').raw().all()).toEqual([
    ['kept', 'red'],
    ['in the WAL', 'red'],
  ]);
  expect(statSync(`${folder.file}.format-1`).mode & 0o777).toBe(0o600);
  const old = new SqliteDatabase(`${folder.file}.format-1`, { readonly: true });
  expect(version(old)).toBe(1);
  expect(old.prepare('SELECT * FROM notes').raw().all()).toEqual([['kept'], ['in the WAL']]);
  old.close();
});

it('does not overwrite an earlier copy', () => {
  migrate(db, folder.file, steps.slice(0, 1));
  migrate(db, folder.file, steps);
  db.pragma('user_version = 1');
  db.exec('ALTER TABLE notes DROP COLUMN colour');
  expect(migrate(db, folder.file, steps)).toBe(`${folder.file}.format-1-2`);
});

it('leaves the file as it was when a step fails', () => {
  migrate(db, folder.file, steps.slice(0, 1));
  expect(() => migrate(db, folder.file, [...steps, 'ALTER TABLE notes ADD COLUMN x TEXT; SELECT broken'])).toThrow(/broken/);
  expect(version(db)).toBe(2);
  expect(db.prepare('SELECT * FROM notes').columns()).toHaveLength(2);
});

it('refuses a file of a newer Baton', () => {
  migrate(db, folder.file, steps);
  expect(() => migrate(db, folder.file, steps.slice(0, 1))).toThrow(
    /was written by a newer Baton \(format 2, this one knows 1\)\. Use that version/,
  );
  expect(existsSync(`${folder.file}.format-2`)).toBe(false);
});
