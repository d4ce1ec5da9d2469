import { LOGIN_FRAGMENT, LoginAnswer, PATHS, ReconnectToken, Secret } from '../../src-shared/http-api.ts';
import { jsonBody, refusalIn } from '../../src-shared/http-fetch.ts';
import type { ClientId } from '../../src-shared/ids.ts';

/**
 * What lets this tab in: a token of its own client, renewed again and again while it is connected. It lies in the tab's storage, so
 * that a reload needs no new code and nothing is left of it when the tab is closed.
 */
export class Credentials {
  readonly #clientId: ClientId;
  readonly #key: string;

  constructor(clientId: ClientId) {
    this.#clientId = clientId;
    this.#key = `baton.reconnect.${clientId}`;
  }

  get token(): string | null {
    const stored = sessionStorage.getItem(this.#key);
    if (stored === null) return null;
    const read = ReconnectToken.safeParse(parseJson(stored));
    return read.success ? read.data.token : null;
  }

  keep(token: ReconnectToken): void {
    sessionStorage.setItem(this.#key, JSON.stringify(token));
  }

  forget(): void {
    sessionStorage.removeItem(this.#key);
  }

  /** Trades a code in. Rejects with a RefusalError when it is not accepted, with another error when nobody answers. */
  async signIn(code: string): Promise<void> {
    const answer = await fetch(PATHS.login, { method: 'POST', ...jsonBody({ code, clientId: this.#clientId }) });
    if (!answer.ok) throw await refusalIn(answer);
    this.keep(LoginAnswer.parse(await answer.json()));
  }
}

/** The code in the page's address, which it leaves at once: not in the history, not for whoever looks over a shoulder. */
export function takeCodeFromAddress(): string | null {
  const code = codeIn(location.hash);
  if (location.hash.startsWith(LOGIN_FRAGMENT)) history.replaceState(null, '', location.pathname);
  return code;
}

/** The code in an address, or the code itself, as somebody pasted it. */
export function codeIn(text: string): string | null {
  const trimmed = text.trim();
  const at = trimmed.indexOf(LOGIN_FRAGMENT);
  const read = Secret.safeParse(at < 0 ? trimmed : trimmed.slice(at + LOGIN_FRAGMENT.length));
  return read.success ? read.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
