import { statSync } from 'node:fs';
import * as z from 'zod/mini';
import type { MachineList, RelayStatus } from '../../../src-shared/machines.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { BATON_VERSION } from '../../version.ts';
import { bad, type Check, ok, warn } from '../check.ts';
import { stateOf } from './machines.ts';

/** For the relay's answer to a question that is not the link's. */
const RELAY_MS = 5_000;
/** Nothing depends on it, but ages that are shown are wrong by as much. */
const CLOCK_TOLERANCE_MS = 60_000;

const Health = z.object({ ok: z.boolean(), version: z.optional(z.string()) });

/** To be asked before anything makes the file what it should be. Null: there is none. */
export function checkKeysFile(file: string): Check | null {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const mode = (found.mode & 0o777).toString(8);
  if (process.platform === 'win32' || (found.mode & 0o077) === 0) return ok('keys', `${file} can be read by you alone.`);
  return bad(
    'keys',
    `${file} could be read by others on this computer (mode ${mode}); it cannot any more.`,
    'If you do not trust them: take this machine out (baton machines leave) and pair it anew.',
  );
}

/** How this machine stands with the others, with a way out of whatever is wrong. */
export async function checkMachines(list: MachineList, sessions: readonly SessionSummary[]): Promise<Check[]> {
  const { workspace, relay } = list;
  if (workspace === null && relay.state !== 'refused') {
    return [ok('workspace', 'this machine is in none. To have its sessions on another one: baton pair')];
  }
  const health = relay.url === null ? null : await askRelay(relay.url);
  return [
    workspace === null || relay.state === 'refused' ? excluded(relay) : inWorkspace(workspace),
    ...others(list),
    ...(relay.state === 'refused' ? [] : [standing(relay, health)]),
    ...clock(health),
    ...forks(sessions),
    ...stuck(sessions),
  ];
}

function inWorkspace({ id, keys }: NonNullable<MachineList['workspace']>): Check {
  const kept = { 'key-ring': 'sealed by the key ring', passphrase: 'sealed with a passphrase', plain: 'not sealed' }[keys];
  return ok('workspace', `${id.slice(0, 8)}; the keys of this machine are ${kept}.`);
}

/** Removed, locked, two histories of the membership, or the keys used by two computers: `why` says it. */
function excluded({ why }: RelayStatus): Check {
  return bad(
    'workspace',
    `this machine does not sync: ${why ?? 'it is not let in.'}`,
    'If its keys are locked: baton machines unlock. Else take it out (baton machines leave) and pair it anew.',
  );
}

function others({ machines }: MachineList): Check[] {
  const all = machines.filter(({ self }) => !self);
  if (all.length === 0) return [];
  const olds = all.filter(({ version }) => version !== null && version !== BATON_VERSION);
  const shown = all.map((machine) => `${machine.name} (${stateOf(machine)})`).join(', ');
  const found: Check[] = [ok('machines', `${shown}.`)];
  if (olds.length === 0) return found;
  const versions = olds.map(({ name, version }) => `${name} has ${version}`).join(', ');
  return [...found, warn('versions', `${versions}; this machine has ${BATON_VERSION}.`, 'Update the older ones.')];
}

interface Asked {
  readonly version: string | null;
  readonly isRelay: boolean;
  /** How far this machine's clock is ahead of the relay's; null: it did not say. */
  readonly aheadMs: number | null;
}

/** By a way of its own, so that it is told apart whether the relay is away or does not let this machine in. Null: no answer. */
async function askRelay(url: string): Promise<Asked | null> {
  const address = new URL('health', `${url.replace(/^ws/, 'http').replace(/\/$/, '')}/`);
  try {
    const askedMs = Date.now();
    const response = await fetch(address, { signal: AbortSignal.timeout(RELAY_MS), redirect: 'manual' });
    const answeredMs = Date.now();
    const health = Health.safeParse(await response.json().catch(() => null));
    const date = Date.parse(response.headers.get('date') ?? '');
    // The header has whole seconds.
    const aheadMs = Number.isNaN(date) ? null : (askedMs + answeredMs) / 2 - (date + 500);
    return { version: health.data?.version ?? null, isRelay: health.data?.ok === true, aheadMs };
  } catch {
    return null;
  }
}

function standing({ state, url, why, embedded }: RelayStatus, health: Asked | null): Check {
  const name = 'relay';
  if (url === null || state === 'off') {
    return bad(
      name,
      `there is none${why === null ? '' : `: ${why}`}.`,
      'baton relay start, or set relay.url to that of another one.',
    );
  }
  const version = health?.version ?? null;
  const at = `${url}${version === null ? '' : `, version ${version}`}`;
  if (state !== 'live') {
    if (health === null) {
      const fix = embedded === null ? 'Is it running, and is relay.url right?' : 'See its port and address: baton relay status';
      return bad(name, `${at} does not answer${why === null ? '' : `: ${why}`}.`, `${fix} It is tried again by itself.`);
    }
    if (!health.isRelay) return bad(name, `something else than a relay answers at ${url}.`, 'See relay.url.');
    return warn(
      name,
      `${at} answers, but this machine is not connected${why === null ? '' : `: ${why}`}.`,
      'It is tried again by itself.',
    );
  }
  if (version !== null && version !== BATON_VERSION) {
    return warn(name, `${at} is connected; this machine has ${BATON_VERSION}.`, 'Update the older of the two.');
  }
  return ok(name, `${at} is connected.`);
}

function clock(health: Asked | null): Check[] {
  const aheadMs = health?.aheadMs ?? null;
  if (aheadMs === null) return [];
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  if (Math.abs(aheadMs) < CLOCK_TOLERANCE_MS) return [ok('clock', 'this machine and the relay have the same time.')];
  return [
    warn(
      'clock',
      `this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the relay. Everything works, but ages that are shown are wrong by that.`,
      'Let the system set its clock.',
    ),
  ];
}

function forks(sessions: readonly SessionSummary[]): Check[] {
  return sessions
    .filter(({ remote }) => remote?.connection === 'forked')
    .map(({ runId, title, machine }) =>
      bad(
        'history',
        `${title} (${runId.slice(-8)}) has another history on ${machine} than here: one of the two machines was set back, or a copy of it runs. Both are kept.`,
        `To follow it again, delete what is here: baton delete ${runId.slice(-8)}`,
      ),
    );
}

/** What does not go out, and what does not come in. */
function stuck(sessions: readonly SessionSummary[]): Check[] {
  return sessions.flatMap(({ runId, title, machine, remote, unsent }) => {
    const named = `${title} (${runId.slice(-8)})`;
    if (unsent !== null) return [bad('sessions', `${named} is not sent to your other machines.`, unsent)];
    if (remote?.connection !== 'refused') return [];
    return [
      bad(
        'sessions',
        `what came of ${named} is not what ${machine} can have sent: nothing of it is taken.`,
        'It is tried again when the engine starts anew here. If it stays so, look after the relay and that machine.',
      ),
    ];
  });
}
