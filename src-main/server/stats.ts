import type { ResultOf } from '../../src-shared/operations.ts';

/** What the server counts of itself, for `server.stats` and metrics. */
export class ServerStats {
  readonly #requests = new Map<string, { readonly route: string; readonly status: number; count: number }>();
  #bytesIn = 0;
  #bytesOut = 0;
  #reconnections = 0;

  /** `route`: its pattern, never an address; so that there are only so many. */
  handled(route: string, status: number): void {
    const key = `${status} ${route}`;
    const row = this.#requests.get(key) ?? { route, status, count: 0 };
    row.count += 1;
    this.#requests.set(key, row);
  }
  received(bytes: number): void {
    this.#bytesIn += bytes;
  }
  sent(bytes: number): void {
    this.#bytesOut += bytes;
  }
  reconnected(): void {
    this.#reconnections += 1;
  }

  get counts(): Pick<ResultOf<'server.stats'>, 'requests' | 'bytesIn' | 'bytesOut' | 'reconnections'> {
    const requests = [...this.#requests.values()].map((row) => ({ ...row }));
    return { requests, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, reconnections: this.#reconnections };
  }
}
