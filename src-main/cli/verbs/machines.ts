import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Machine, MachineList, RelayStatus, Rights } from '../../../src-shared/machines.ts';
import { withEngine, withStartedEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { findMachine } from '../find-machine.ts';
import { hasColors, oneLine, painter, print, printJson, printLine, say } from '../output.ts';
import { ago, table } from '../table.ts';

interface JsonOption {
  readonly json?: boolean;
}

export async function machines(options: JsonOption): Promise<undefined> {
  await withStartedEngine(async (client) => {
    const found = await client.call('machines.list', {});
    if (options.json) {
      printJson(found);
      return;
    }
    if (found.workspace === null)
      say('This machine is in no workspace. Pair it: baton pair here, baton join CODE on the other one.');
    if (found.machines.length > 0) print(machineTable(found));
    if (found.workspace !== null || found.relay.state === 'refused') say(relayLine(found.relay));
  });
}

function machineTable({ machines: all }: MachineList): string {
  const paint = painter(hasColors(process.stdout));
  return table<Machine>(
    [
      { head: 'ID', text: ({ machineId }) => machineId.slice(-8) },
      { head: 'NAME', text: ({ name, self }) => `${oneLine(name)}${self ? ' (this one)' : ''}`, shrinks: true },
      { head: 'STATE', text: stateOf, paint: (cell, { online }) => paint(online ? 'green' : 'dim', cell) },
      { head: 'RIGHTS', text: ({ rights }) => rights },
      { head: 'SESSIONS', text: ({ sessions }) => String(sessions) },
      { head: 'VERSION', text: ({ version }) => version ?? '' },
    ],
    all,
    process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
    (head) => paint('bold', head),
  );
}

export function stateOf({ self, online, state, lastSeen, version }: Machine): string {
  if (online) return state === 'asleep' ? 'asleep' : 'online';
  if (self) return 'not connected';
  const since = lastSeen === null ? '' : `, seen ${ago(Date.now() - Date.parse(lastSeen))} ago`;
  // Of one that has never said anything nothing is known for another reason.
  if (state === 'unknown') return version === null && lastSeen === null ? 'not seen yet' : `unknown${since}`;
  return `${state === 'asleep' ? 'asleep' : 'offline'}${since}`;
}

const RELAY_WORDS: Readonly<Record<RelayStatus['state'], string>> = {
  off: 'not used',
  connecting: 'connecting',
  live: 'connected',
  lost: 'out of reach, tried again by itself',
  refused: 'not synced any more',
};

function relayLine({ url, state, why }: RelayStatus): string {
  return `Relay: ${url ?? 'none'}, ${RELAY_WORDS[state]}${why === null ? '' : `: ${why}`}`;
}

export async function renameMachine(machine: string, name: string): Promise<undefined> {
  await withEngine(async (client) => {
    const { machines: all } = await client.call('machines.list', {});
    await client.call('machines.rename', { machineId: findMachine(all, machine).machineId, name });
  });
}

export async function setMachineRights(machine: string, rights: Rights): Promise<undefined> {
  await withEngine(async (client) => {
    const { machines: all } = await client.call('machines.list', {});
    await client.call('machines.setRights', { machineId: findMachine(all, machine).machineId, rights });
  });
}

interface YesOption {
  readonly yes?: boolean;
}

export async function revokeMachine(machine: string, options: YesOption): Promise<undefined> {
  await withEngine(async (client) => {
    const { machines: all } = await client.call('machines.list', {});
    const found = findMachine(all, machine);
    await mustConfirm(`Remove “${oneLine(found.name)}” from the workspace, for good? It keeps what it has.`, options);
    await client.call('machines.revoke', { machineId: found.machineId });
    say(`${oneLine(found.name)} is out: it is cut off, and reads nothing that comes from now on.`);
  });
}

export async function leaveWorkspace(options: YesOption): Promise<undefined> {
  await withEngine(async (client) => {
    await mustConfirm('Take this machine out of its workspace? The sessions that are here stay.', options);
    await client.call('workspace.leave', {});
    say('This machine is in no workspace any more. The others list it until it is removed there: baton machines revoke');
  });
}

async function mustConfirm(question: string, { yes }: YesOption): Promise<void> {
  if (yes || !process.stdin.isTTY) return;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if (/^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())) return;
  } finally {
    asking.close();
  }
  throw new Failure(EXIT.cancelled, 'Nothing was changed.');
}

/** The passphrase comes from a file descriptor, or from stdin: never from an argument, which others can see. */
export async function unlock({ passphraseFd = 0 }: { readonly passphraseFd?: number }): Promise<undefined> {
  const passphrase =
    passphraseFd === 0 && process.stdin.isTTY ? await typedUnseen() : readFileSync(passphraseFd, 'utf8').replace(/\r?\n$/, '');
  await withStartedEngine((client) => client.call('machines.unlock', { passphrase }));
}

function typedUnseen(): Promise<string> {
  return new Promise((resolve) => {
    process.stderr.write('Passphrase of this machine’s keys: ');
    let typed = '';
    process.stdin.setRawMode(true).on('data', (chunk: Buffer) => {
      for (const char of chunk.toString()) {
        if (char === '\u0003') process.exit(EXIT.cancelled);
        if (char === '\r' || char === '\n') {
          process.stdin.setRawMode(false).pause();
          process.stderr.write('\n');
          resolve(typed);
          return;
        }
        typed = char === '\u007f' ? typed.slice(0, -1) : typed + char;
      }
    });
  });
}

export async function startRelay({ host, json }: JsonOption & { readonly host?: string }): Promise<undefined> {
  await withStartedEngine(async (client) => {
    const status = await client.call('relay.start', host === undefined ? {} : { host });
    if (json) printJson(status);
    else printLine(`The relay on this machine listens at ${status.embedded?.address}. Add machines: baton pair`);
  });
}

export async function stopRelay({ json }: JsonOption): Promise<undefined> {
  await withEngine(async (client) => {
    const status = await client.call('relay.stop', {});
    if (json) printJson(status);
    else say('The relay on this machine does not run any more.');
  });
}

export async function relayStatus({ json }: JsonOption): Promise<undefined> {
  await withEngine(async (client) => {
    const { relay, machines: all } = await client.call('machines.list', {});
    if (json) {
      printJson(relay);
      return;
    }
    printLine(relayLine(relay));
    const { embedded } = relay;
    if (embedded !== null) printLine(`On this machine: ${embedded.running ? 'running' : 'not running'}, ${embedded.address}`);
    const online = all.filter(({ self, online: isOnline }) => isOnline && !self).map(({ name }) => oneLine(name));
    printLine(`Connected machines: ${online.join(', ') || 'none'}`);
  });
}
