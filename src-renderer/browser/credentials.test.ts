import { beforeEach, describe, expect, it } from 'vitest';
import { ClientId } from '../../src-shared/ids.ts';
import { Credentials, codeIn, takeCodeFromAddress } from './credentials.ts';

const code = 'Ab_-'.repeat(10).concat('xyz');
const one = ClientId.parse('00000000-0000-4000-8000-000000000001');
const other = ClientId.parse('00000000-0000-4000-8000-000000000002');

describe('a code', () => {
  it.each([code, `  ${code}\n`, `http://127.0.0.1:4000/#code=${code}`])('is read from %j', (text) => {
    expect(codeIn(text)).toBe(code);
  });
  it.each(['', 'code', `${code}x`, `http://127.0.0.1:4000/#other=${code}`, `${code.slice(0, -1)}!`])('is not in %j', (text) => {
    expect(codeIn(text)).toBeNull();
  });
  it('leaves the address when it is read, also one that is worth nothing', () => {
    for (const [fragment, read] of [
      [code, code],
      ['short', null],
    ] as const) {
      history.replaceState(null, '', `/#code=${fragment}`);
      expect(takeCodeFromAddress()).toBe(read);
      expect(location.hash).toBe('');
    }
  });
});

describe('a tab’s token', () => {
  beforeEach(() => sessionStorage.clear());

  it('is the newest one, of its own client only', () => {
    const credentials = new Credentials(one);
    expect(credentials.token).toBeNull();
    credentials.keep({ token: 'a'.repeat(43), expiresAt: 1 });
    credentials.keep({ token: 'b'.repeat(43), expiresAt: 2 });
    expect(new Credentials(one).token).toBe('b'.repeat(43));
    expect(new Credentials(other).token).toBeNull();
    credentials.forget();
    expect(new Credentials(one).token).toBeNull();
  });

  it('that cannot be read is none', () => {
    for (const stored of ['{', '{"token":7}', 'null']) {
      sessionStorage.setItem(`baton.reconnect.${one}`, stored);
      expect(new Credentials(one).token).toBeNull();
    }
  });
});
