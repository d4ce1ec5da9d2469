import { statSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { markDamaged } from './damage.ts';
import { openForReading } from './database.ts';
import type { CheckedEvent } from './messages.ts';
import { isDamage } from './store-error.ts';

/**
 * Of a larger file the events are not looked through: closing waits for the check, which nothing can interrupt. Damage there is met
 * when they are read, and by `verify`.
 */
const MAX_EVENT_PAGES_BYTES = 256 * 1024 * 1024;
/** What a session cannot do without, small. */
const SMALL_TABLES = [
  'sessions',
  'heads',
  'gaps',
  'inputs',
  'drafts',
  'children',
  'workspace_layout',
  'facts',
  'screens',
  'documents',
  'document_updates',
  'outbox',
];

/** Looks for damaged pages: seconds for a large file, so it runs behind the start, in a thread of its own that ends with it. */
export function runCheck(port: MessagePort, file: string): void {
  const found = findDamage(file);
  if (found !== null) markDamaged(file);
  port.postMessage({ kind: 'checked', found } satisfies CheckedEvent);
}

function findDamage(file: string): string | null {
  const db = openForReading(file);
  try {
    const isSmall = statSync(file).size <= MAX_EVENT_PAGES_BYTES;
    for (const table of isSmall ? [...SMALL_TABLES, 'events'] : SMALL_TABLES) {
      const found = String(db.pragma(`quick_check(${table})`, { simple: true }));
      if (found !== 'ok') return `${table}: ${found}`;
    }
    return null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    db.close();
  }
}
