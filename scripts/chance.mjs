// What chance finds: `npm run sim -- --seeds N` simulates N random histories, `npm run fuzz -- --count N` tries N hostile inputs of each
// kind. Both take `--seed S` to do again the one that failed (the fuzz with `--count N`: so many from there on), and names of test files where not all of them are meant.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const MEMORY = '/dev/shm';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string' }, count: { type: 'string' }, seed: { type: 'string' } },
});
const [kind, ...files] = positionals;
const isFuzz = kind === 'fuzz';
await setupOrExit();
// Each simulation runs on one core: many seeds are shared out. The files of the fuzz share the cores by themselves.
const shares = isFuzz || values.seeds === undefined ? 1 : availableParallelism();
// Each hostile input would wait for the disk: on Linux there is one that is none.
const folder = isFuzz && existsSync(MEMORY) ? mkdtempSync(join(MEMORY, 'baton-fuzz-')) : null;
const codes = await Promise.all(Array.from({ length: shares }, (_, share) => runShare(share)));
if (folder !== null) rmSync(folder, { recursive: true, force: true });
process.exitCode = Math.max(...codes);

/** @param {number} share */
function runShare(share) {
  const tests = files.length > 0 ? files : [`.${kind}.test.ts`];
  const env = { ...process.env };
  if (folder !== null) env.TMPDIR = folder;
  if (values.seeds !== undefined) Object.assign(env, { SIM_SEEDS: values.seeds, SIM_SHARE: `${share}/${shares}` });
  if (values.count !== undefined) env.BATON_FUZZ_COUNT = values.count;
  if (values.seed !== undefined) env[isFuzz ? 'BATON_FUZZ_SEED' : 'SIM_SEED'] = values.seed;
  return run(process.execPath, [binary('vitest', 'vitest.mjs'), 'run', ...tests], { env });
}
