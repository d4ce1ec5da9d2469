import type { PtyHost } from '../pty-host-client.ts';
import type { AdapterFactory } from './adapter.ts';

export interface PtyAdapterOptions {
  /** Where the shells' start-up files are written (0700); below the cache folder. */
  readonly shellIntegrationFolder: string;
  /** TERM_PROGRAM_VERSION. */
  readonly version: string;
}

/** Terminals. */
export declare function ptyAdapter(ptyHost: PtyHost, options: PtyAdapterOptions): AdapterFactory;
