import { withEngine } from '../engine-client.ts';
import { findMachine } from '../find-machine.ts';
import { sessionNamed } from './sessions.ts';

interface Whom {
  readonly machine?: string;
}

export function follow(name: string | undefined, whom: Whom): Promise<undefined> {
  return choose(name, whom, true);
}

export function unfollow(name: string | undefined, whom: Whom): Promise<undefined> {
  return choose(name, whom, false);
}

async function choose(name: string | undefined, { machine }: Whom, follows: boolean): Promise<undefined> {
  await withEngine(async (client) => {
    const { runId } = sessionNamed(client, name);
    if (machine === undefined) {
      await client.call('session.follow', { runId, follows });
      return;
    }
    const { machines } = await client.call('machines.list', {});
    await client.call('session.follow', { runId, machineId: findMachine(machines, machine).machineId, follows });
  });
}
