import { secretOf } from '../../../src-shared/pairing-code.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';

/** What the person carries to the new machine: the code and where both meet. */
export function joinTextOf(code: string, url: string): string {
  return `${code}@${url.startsWith('ws://') ? url.slice('ws://'.length) : url}`;
}

/** Reads it again; `url` is null where only a code was given. */
export function readJoinText(text: string): { readonly secret: Uint8Array; readonly url: string | null } {
  const at = text.indexOf('@');
  const secret = secretOf(at < 0 ? text : text.slice(0, at));
  if (secret === null) {
    throw new RefusalError(
      'bad-request',
      'This is no code: one has 26 letters and digits.',
      'Type it as the other machine shows it.',
    );
  }
  if (at < 0) return { secret, url: null };
  const where = text.slice(at + 1).trim();
  const url = /^wss?:\/\//.test(where) ? where : `ws://${where}`;
  if (!URL.canParse(url))
    throw new RefusalError('bad-request', `${where} is not the address of a relay.`, 'It looks like 192.168.1.5:7474.');
  return { secret, url };
}
