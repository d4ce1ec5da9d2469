// `npm run check`: everything that can be said about the code without running it.
import { pathToFileURL } from 'node:url';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

export const checks = [
  { name: 'types', args: [binary('typescript', 'bin/tsc'), '-b'] },
  { name: 'lint and format', args: [binary('@biomejs/biome', 'bin/biome'), 'ci', '--error-on-warnings'] },
  { name: 'borders', args: ['scripts/borders.mjs'] },
  { name: 'dead code', args: [binary('knip', 'bin/knip.js')] },
];

/**
 * Runs them all, whatever fails.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks() {
  const failed = [];
  for (const { name, args } of checks) {
    process.stdout.write(`\ncheck: ${name}\n`);
    if ((await run(process.execPath, args)) !== 0) failed.push(name);
  }
  if (failed.length > 0) process.stdout.write(`\ncheck: failed: ${failed.join(', ')}\n`);
  return { passed: checks.length - failed.length, failed: failed.length };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setupOrExit();
  const { failed } = await runChecks();
  process.exitCode = failed > 0 ? 1 : 0;
}
