import { readFile, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { ServerFile } from '../../src-shared/http-api.ts';

/** Readable by this user alone, from its first byte on. */
export async function writeServerFile(path: string, content: ServerFile): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** Removes the file if it is still that of this key: the next engine may have written its own. */
export async function removeServerFile(path: string, key: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return;
  const found = ServerFile.safeParse(parse(text));
  if (found.success && found.data.key === key) await rm(path, { force: true });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
