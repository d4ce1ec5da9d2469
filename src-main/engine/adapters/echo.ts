import type { AdapterFactory } from './adapter.ts';

/** A prompt with this phrase asks for permission before it is answered. */
export const PERMISSION_PHRASE = 'may I';

export declare const echoAdapter: AdapterFactory;
