// `npm run sim -- --seeds N` simulates N random histories; `--seed S` replays the one that failed.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } });
await setupOrExit();
// Each simulation runs on one core: many seeds are shared out.
const shares = values.seeds === undefined ? 1 : availableParallelism();
const codes = await Promise.all(
  Array.from({ length: shares }, (_, share) =>
    run(process.execPath, [binary('vitest', 'vitest.mjs'), 'run', '.sim.test.ts'], {
      env: {
        ...process.env,
        ...(values.seeds === undefined ? {} : { SIM_SEEDS: values.seeds, SIM_SHARE: `${share}/${shares}` }),
        ...(values.seed === undefined ? {} : { SIM_SEED: values.seed }),
      },
    }),
  ),
);
process.exitCode = Math.max(...codes);
