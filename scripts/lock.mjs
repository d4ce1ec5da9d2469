import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const pollMs = 250;
/** No step takes this long; an older lock is left over, even if its owner's number has since gone to another process. */
const abandonedAfterMs = 20 * 60 * 1000;

/**
 * One process at a time: `npm start` and `npm test` begun together must not install into one folder at once. A lock whose
 * owner is gone is taken over.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  await mkdir(dirname(file), { recursive: true });
  while (!(await acquire(file))) await wait(pollMs);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/** @param {string} file */
async function acquire(file) {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
  // 0 while the owner has not yet written its number, or has just let go: ask again.
  const madeAt = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  if ((owner > 0 && !isAlive(owner)) || Date.now() - madeAt > abandonedAfterMs) await rm(file, { force: true });
  return false;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
