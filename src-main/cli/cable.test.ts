import { afterEach, expect, it } from 'vitest';
import { RelayProcess } from '../relay/relay.fixture.ts';
import { Cable, CabledMachine, HERE, whyNoCables } from './cable.fixture.ts';
import { expectInvariants } from './invariants.fixture.ts';
import { type LoggedEvent, until } from './workspace.fixture.ts';

const PATIENCE_MS = 180_000;
const why = whyNoCables();
if (why !== null) process.stderr.write(`cables are not tried: ${why}\n`);

const cables: Cable[] = [];
const machines: CabledMachine[] = [];
const relay = new RelayProcess();
afterEach(async () => {
  try {
    await Promise.all(machines.splice(0).map((machine) => machine.dispose()));
    await relay.dispose();
  } finally {
    for (const cable of cables.splice(0)) cable.remove();
  }
}, PATIENCE_MS);

async function cabled(number: number, name: string): Promise<CabledMachine> {
  const cable = new Cable(number);
  cables.push(cable);
  const machine = new CabledMachine(cable);
  machines.push(machine);
  return await machine.begin(name, { 'relay.url': `ws://${HERE}:${relay.port}` });
}

const COUNT = 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "line $i"; sleep 0.02; done; echo counted; read x';

it.skipIf(why !== null)(
  '[together-7] machines on networks of their own lose nothing when cables are pulled, and the relay dies meanwhile',
  {
    timeout: PATIENCE_MS,
  },
  async () => {
    await relay.start('--host', '0.0.0.0');
    const [laptop, desktop] = [await cabled(0, 'laptop'), await cabled(1, 'desktop')];
    await laptop.lets(desktop);
    const runId = await laptop.start(COUNT);
    const output = async (on: CabledMachine) => {
      const { stdout } = await on.run(['log', runId, '--json']);
      const events = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line): LoggedEvent => JSON.parse(line));
      return events
        .flatMap(({ channel, payload }) => (channel === 'pty:stdout' && typeof payload === 'string' ? [payload] : []))
        .join('');
    };
    const lines = async (on: CabledMachine) => (await output(on)).split(/\r?\n/).filter((line) => /^line \d+$/.test(line));
    await until('it begins there', async () => (await lines(desktop)).length > 0);
    // For a moment: what was on its way is sent again by the network itself.
    laptop.cable.pull();
    await until('the laptop goes on alone', async () => (await lines(laptop)).length > 50);
    laptop.cable.plug();
    // The relay that the desktop comes back to knows nothing of its connection.
    desktop.cable.pull();
    await relay.kill();
    await relay.start('--host', '0.0.0.0');
    await desktop.restart();
    desktop.cable.plug();
    await until('all of it', async () => (await lines(laptop)).length === 400);
    await expectInvariants([laptop, desktop], relay);
    expect(await lines(desktop)).toEqual(Array.from({ length: 400 }, (_, index) => `line ${index + 1}`));
  },
);
