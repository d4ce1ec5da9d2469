import { newInputId, withEngine } from '../engine-client.ts';
import { sessionNamed } from './sessions.ts';

/** Verbs that change one session and print nothing. */
export async function interrupt(name: string | undefined): Promise<undefined> {
  await withEngine(async (client) => {
    await client.send(sessionNamed(client, name).runId, { kind: 'interrupt', inputId: newInputId() });
  });
}

export async function close(name: string): Promise<undefined> {
  await withEngine(async (client) => {
    await client.close(sessionNamed(client, name).runId, newInputId());
  });
}

export async function rename(name: string, title: string | undefined): Promise<undefined> {
  await withEngine(async (client) => {
    await client.call('session.rename', { runId: sessionNamed(client, name).runId, title: title ?? null });
  });
}
