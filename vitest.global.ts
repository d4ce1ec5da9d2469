import { buildParts } from './scripts/build.mjs';

/** The workers and child processes that tests start are built files: brings out/main up to date before any test runs. */
export default async function setup(): Promise<void> {
  await buildParts(['main']);
}
