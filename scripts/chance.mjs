// What chance finds. Both take `--seed S` to do again the one that failed:
// `npm run sim -- --seeds N` simulates N random histories, `npm run fuzz -- --count N` tries N hostile inputs of each kind.
import { parseArgs } from 'node:util';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string' }, count: { type: 'string' }, seed: { type: 'string' } },
});
const [kind, ...files] = positionals;
const [count, seed] = kind === 'fuzz' ? ['BATON_FUZZ_COUNT', 'BATON_FUZZ_SEED'] : ['SIM_SEEDS', 'SIM_SEED'];
const asked = values.count ?? values.seeds;
await setupOrExit();
process.exitCode = await run(process.execPath, [binary('vitest', 'vitest.mjs'), 'run', ...tests()], {
  env: {
    ...process.env,
    ...(asked === undefined ? {} : { [count]: asked }),
    ...(values.seed === undefined ? {} : { [seed]: values.seed }),
  },
});

/** Of one kind all that there are, or those that are named. */
function tests() {
  return files.length > 0 ? files : [`.${kind}.test.ts`];
}
