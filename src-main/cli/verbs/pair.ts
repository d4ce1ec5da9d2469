import { createInterface } from 'node:readline';
import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { PairingState, Rights } from '../../../src-shared/machines.ts';
import { withStartedEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { oneLine, printJson, printLine, say } from '../output.ts';

interface PairOptions {
  readonly rights: Rights;
  readonly relay?: string;
  readonly confirm?: string;
  readonly json?: boolean;
}

/** Opens the door to one new machine, and asks whether the one that came is the right one. */
export async function pair(options: PairOptions): Promise<number> {
  return await withStartedEngine(async (client) => {
    const states = pairingStates(client);
    endWithInterrupt(client);
    const { state } = await client.call('pairing.state', {});
    // Another `baton pair` shows the code, and this one says yes.
    const isUnderWay = options.confirm !== undefined && (state.is === 'offering' || state.is === 'compare');
    if (isUnderWay) states.told.push(state);
    else await offer(client, options);
    const compared = await until(states, 'compare');
    const { digits, machine } = compared;
    if (options.json) printJson({ digits, machine });
    // The digits come first, on a line of their own: no name can look like them.
    else
      say(
        `\n${grouped(digits)}\n“${oneLine(machine?.name ?? '')}” wants to join. It shows these digits, if nobody stands in between.`,
      );
    if (!(await isConfirmed(client, options, states))) {
      await client.call('pairing.decline', {});
      throw new Failure(EXIT.refused, 'The machine was not let in.');
    }
    const { machine: added } = await until(states, 'done');
    const { workspace } = await client.call('machines.list', {});
    if (options.json) printJson({ workspace, machine: added });
    else {
      say(`${oneLine(added.name)} is one of your machines now.`);
      tellHowKeysAreKept(workspace?.keys);
    }
    return EXIT.done;
  });
}

async function offer(client: RunSessionClient, { rights, relay, json }: PairOptions): Promise<void> {
  const offered = await client.call('pairing.offer', { rights, ...(relay === undefined ? {} : { relay }) });
  if (json) printJson(offered);
  else await showCode(offered.joinText);
}

async function showCode(joinText: string): Promise<void> {
  say('Enter this on the new machine, within five minutes:\n');
  printLine(`baton join ${joinText}`);
  if (!process.stdout.isTTY) return;
  const { renderUnicodeCompact } = await import('uqr');
  printLine(`\n${renderUnicodeCompact(joinText)}`);
}

/** By the digits that were given, else by a yes on stdin. */
async function isConfirmed(client: RunSessionClient, options: PairOptions, states: States): Promise<boolean> {
  if (options.confirm !== undefined) {
    await client.call('pairing.confirm', { digits: options.confirm });
    return true;
  }
  if (!options.json) process.stderr.write('Are they the same there? [y/N] ');
  const lines = createInterface({ input: process.stdin });
  try {
    const answer = new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
    });
    // The other machine may go away, time run out, or somebody answer elsewhere while the person looks.
    const typed = await Promise.race([answer, until(states, 'done').then(() => null)]);
    if (typed === null) return true;
    if (!/^y(es)?$/i.test(typed.trim())) return false;
  } finally {
    lines.close();
  }
  await client.call('pairing.confirm', { digits: null });
  return true;
}

interface JoinOptions {
  readonly relay?: string;
  readonly json?: boolean;
}

/** Asks to be let in by the machine that shows the code. */
export async function join(code: string, options: JoinOptions): Promise<number> {
  return await withStartedEngine(async (client) => {
    const states = pairingStates(client);
    endWithInterrupt(client);
    await client.call('pairing.join', { code, ...(options.relay === undefined ? {} : { relay: options.relay }) });
    const { digits } = await until(states, 'compare');
    if (options.json) printJson({ digits });
    else {
      printLine(grouped(digits));
      say('Compare the digits with the other machine, and say yes there if they are the same.');
    }
    const { machine } = await until(states, 'done');
    const { workspace, machines } = await client.call('machines.list', {});
    if (options.json) printJson({ workspace, machine, machines });
    else {
      say(`This machine is one of ${machines.length} now. ${oneLine(machine.name)} has let it in.`);
      tellHowKeysAreKept(workspace?.keys);
    }
    return EXIT.done;
  });
}

function tellHowKeysAreKept(keys: 'key-ring' | 'passphrase' | 'plain' | undefined): void {
  if (keys === 'plain') {
    say(
      'Its keys lie in a file that only you can read: there is no key ring here. With a passphrase: baton config set machines.keyProtection passphrase',
    );
  }
}

const grouped = (digits: string): string => `${digits.slice(0, 3)} ${digits.slice(3)}`;

/** What the engine tells of the pairing from now on, in order. */
interface States {
  readonly told: PairingState[];
  wake: () => void;
}

function pairingStates(client: RunSessionClient): States {
  const states: States = { told: [], wake: () => {} };
  client.onMessage((message) => {
    if (message.type !== 'pairing:changed') return;
    states.told.push(message.state);
    states.wake();
  });
  return states;
}

/** The first state of this kind; fails with what ended the pairing. */
async function until<K extends PairingState['is']>(states: States, wanted: K): Promise<Extract<PairingState, { is: K }>> {
  for (let at = 0; ; ) {
    for (; at < states.told.length; at++) {
      const state = states.told[at];
      if (state?.is === wanted) return state as Extract<PairingState, { is: K }>;
      if (state?.is === 'failed') throw new Failure(EXIT.refused, state.reason, state.hint);
      if (state?.is === 'none' && at > 0) throw new Failure(EXIT.cancelled, 'The pairing was given up.');
    }
    await new Promise<void>((resolve) => {
      const others = states.wake;
      states.wake = () => {
        others();
        resolve();
      };
    });
  }
}

/** Ctrl-C closes the door, too. */
function endWithInterrupt(client: RunSessionClient): void {
  process.removeAllListeners('SIGINT');
  process.once('SIGINT', () => {
    const end = () => process.exit(EXIT.cancelled);
    client.call('pairing.cancel', {}).then(end, end);
  });
}
