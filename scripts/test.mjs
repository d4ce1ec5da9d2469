// `npm test`: checks, build, unit tests, end-to-end tests; in CI also thousands of simulated histories of several machines. A stage
// that fails does not keep the later ones from running, and the last line sums them all up.
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { runPlaywright } from './e2e.mjs';
import { checkoutCache } from './places.mjs';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

/** @typedef {{ passed: number, failed: number }} Count */

/** Histories; about four minutes on two cores. */
const SIMULATED_IN_CI = 10_000;

const runtime = await setupOrExit();
process.stdout.write(`Electron ${runtime.version} (${runtime.kind}), Node ${process.versions.node}\n`);

/** @type {Count[]} */
const counts = [await runChecks(), await buildStage(), await unitStage(), await endToEndStage()];
if (process.env.CI) counts.push(await simulationStage());
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.exitCode = failed > 0 ? 1 : 0;
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);

/**
 * In a process of its own: a bundler that fails outside of its own promises would take the later stages with it.
 * @returns {Promise<Count>}
 */
async function buildStage() {
  process.stdout.write('\nbuild\n');
  const code = await run(process.execPath, ['scripts/build.mjs']);
  return settle(code, code === 0 ? 1 : 0);
}

/** @returns {Promise<Count>} */
async function unitStage() {
  process.stdout.write('\nunit tests\n');
  const report = join(checkoutCache, 'vitest.json');
  await rm(report, { force: true });
  const args = [binary('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run(process.execPath, args);
  const result = await readReport(report);
  return settle(code, result.numPassedTests, result.numFailedTests);
}

/** @returns {Promise<Count>} */
async function endToEndStage() {
  process.stdout.write('\nend-to-end tests\n');
  const report = join(checkoutCache, 'playwright.json');
  await rm(report, { force: true });
  const code = await runPlaywright(runtime, ['--reporter=list,json'], { PLAYWRIGHT_JSON_OUTPUT_FILE: report });
  const { stats } = await readReport(report);
  // A test that passed only when tried again has failed once too often.
  return settle(code, stats?.expected, (stats?.unexpected ?? 0) + (stats?.flaky ?? 0));
}

/** @returns {Promise<Count>} */
async function simulationStage() {
  process.stdout.write('\nsimulations\n');
  const args = ['scripts/chance.mjs', 'sim', '--seeds', String(SIMULATED_IN_CI), 'src-main/sync/sync.sim.test.ts'];
  const code = await run(process.execPath, args);
  return settle(code, code === 0 ? 1 : 0);
}

/**
 * A runner that failed without a failed test (an unhandled rejection, a file that does not load, no tests) counts as one.
 * @param {number} code
 * @param {number} [passed]
 * @param {number} [failed]
 * @returns {Count}
 */
function settle(code, passed = 0, failed = 0) {
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** @param {string} file */
async function readReport(file) {
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {};
}
