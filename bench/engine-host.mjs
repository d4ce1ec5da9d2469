// The engine of engine.bench.mjs: store, pty host and screens as shipped, without settings and Claude. Run as a program, it serves
// clients at a socket in the folder that it is given; `--no-screens` leaves the screens out, so that what they cost can be told.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { echoAdapter } from '../src-main/engine/adapters/echo.ts';
import { ptyAdapter } from '../src-main/engine/adapters/pty.ts';
import { Children } from '../src-main/engine/children.ts';
import { Engine } from '../src-main/engine/engine.ts';
import { startPtyHost } from '../src-main/engine/pty-host/pty-host-client.ts';
import { forkPtyHost } from '../src-main/engine/pty-host/pty-host-fork.ts';
import { startScreens } from '../src-main/engine/screen/screen.ts';
import { openStore } from '../src-main/store/store.ts';
import { streamWire } from '../src-main/stream-wire.ts';
import { Documents } from '../src-main/sync/documents/documents.ts';
import { MachineId } from '../src-shared/ids.ts';

const grey = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: Array(16).fill('#808080') };
const noScreen = { seq: 0, cols: 80, rows: 24, data: '' };
const noHandle = {
  write() {},
  resize() {},
  behindBytes: 0,
  snapshot: async () => noScreen,
  latest: async () => noScreen,
  close() {},
};
const noScreens = { open: () => noHandle, stop: async () => {} };

export async function openEngine(folder, hasScreens = true) {
  const store = await openStore({ file: join(folder, 'baton.db') });
  const screens = hasScreens ? startScreens({ colors: grey }) : noScreens;
  const ptyHost = startPtyHost(forkPtyHost);
  const machineId = MachineId.parse(randomUUID());
  const onProblem = (message, error) => process.stderr.write(`engine: ${message} ${error ?? ''}\n`);
  const engine = await Engine.open({
    store,
    documents: await Documents.open({ store, onProblem }),
    screens,
    adapters: {
      pty: ptyAdapter(ptyHost, { shellIntegrationFolder: join(folder, 'shell'), version: '0' }),
      claude: echoAdapter,
      echo: echoAdapter,
    },
    children: new Children(store),
    machine: () => ({ machineId, name: 'bench' }),
    envReady: async () => {},
    childEnv: () => ({ PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8' }),
    onProblem,
    version: '0',
    home: folder,
    operations: {},
    serverAddress: () => null,
    clientIdleMs: () => 300_000,
    quotas: () => ({ sessionBytes: 4 * 1024 ** 3, totalBytes: 16 * 1024 ** 3 }),
  });
  const stop = async () => {
    await engine.stop();
    await ptyHost.stop(500);
    await screens.stop();
    await store.close();
  };
  return { engine, store, stop };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...flags] = process.argv.slice(2);
  const { engine, stop } = await openEngine(folder, !flags.includes('--no-screens'));
  const server = createServer((socket) => engine.attachWire(streamWire(socket), { isLocal: true, road: 'socket' }));
  server.listen(join(folder, 'socket'), () => process.stdout.write('ready\n'));
  process.on('SIGTERM', () => stop().then(() => process.exit(0)));
}
