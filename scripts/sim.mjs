// `npm run sim -- --seeds N` simulates N random histories; `--seed S` replays the one that failed.
import { parseArgs } from 'node:util';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } });
await setupOrExit();
process.exitCode = await run(process.execPath, [binary('vitest', 'vitest.mjs'), 'run', '.sim.test.ts'], {
  env: {
    ...process.env,
    ...(values.seeds === undefined ? {} : { SIM_SEEDS: values.seeds }),
    ...(values.seed === undefined ? {} : { SIM_SEED: values.seed }),
  },
});
