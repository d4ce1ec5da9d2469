// Several machines: how soon what happens on one is seen on others, what a relay carries, typing into a session of another machine
// while much is being filled in, and many devices on one conversation. `node bench/sync.bench.mjs typing` measures that part alone.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { installPeers } from './peers.mjs';
import { FanOut } from './sync-fan-out.mjs';
import { Machines } from './sync-machines.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const load = await bundle('sync', {
  host: 'bench/sync-host.mjs',
  'engine-host': 'bench/engine-host.mjs',
  'pty-host': 'src-main/engine/pty-host/pty-host.ts',
  'store-worker': 'src-main/store/store-worker.ts',
  'screen-worker': 'src-main/engine/screen/screen-worker.ts',
  'document-worker': 'src-main/sync/documents/document-worker.ts',
  client: 'src-shared/client.ts',
  'stream-wire': 'src-main/stream-wire.ts',
});
const parts = Object.assign({}, ...(await Promise.all(['client', 'stream-wire'].map(load))));
const folder = await mkdtemp(join(tmpdir(), 'baton-bench-sync-'));
const whyNoPeers = await installPeers();
const fanOut = new FanOut({ root, folder, host: join(root, 'out', 'bench', 'sync', 'host.js'), hasPeers: whyNoPeers === null });
const machines = new Machines({ root, folder, parts });
try {
  const measures = {
    latency: () => fanOut.latency(),
    maximum: () => fanOut.maximum(),
    typing: () => machines.typing(),
    devices: () => machines.devices(),
  };
  const results = whyNoPeers === null ? [] : [{ metric: 'beside y-websocket-server and hocuspocus', skipped: whyNoPeers }];
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(measures)) {
    process.stderr.write(`sync: ${name}\n`);
    results.push(...(await measures[name]()));
  }
  process.stdout.write(`${JSON.stringify({ name: 'sync', results }, null, 2)}\n`);
} finally {
  await machines.stop();
  await fanOut.stop();
  await rm(folder, { recursive: true, force: true });
}
