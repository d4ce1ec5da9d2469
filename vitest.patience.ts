import { vi } from 'vitest';

// A second, which is what these wait by themselves, is soon over where tests share two cores: what waits for a condition waits nearly as
// long as its test may take.
const PATIENCE_MS = 25_000;

const { waitFor, waitUntil } = vi;
type Options = Parameters<typeof waitFor>[1];
const patient = (options: Options) => (typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options });
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
