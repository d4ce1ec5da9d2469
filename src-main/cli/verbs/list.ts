import { megabytes } from '../../../src-shared/megabytes.ts';
import type { RemoteStanding, SessionStatus, SessionSummary } from '../../../src-shared/session.ts';
import { withEngine } from '../engine-client.ts';
import { shortId } from '../find-session.ts';
import { hasColors, oneLine, type Paint, painter, print, printJson, printLine, type Style, say } from '../output.ts';
import { ago, table } from '../table.ts';
import { sessionNamed } from './sessions.ts';

export async function list(options: { readonly watch?: boolean; readonly json?: boolean }): Promise<undefined> {
  await withEngine(async (client) => {
    if (options.watch) return await watch(client, options.json === true);
    const sessions = inOrder(client.sessions.values());
    if (options.json) printJson({ sessions });
    else print(sessionTable(sessions));
  });
}

export async function session(name: string | undefined, options: { readonly json?: boolean }): Promise<undefined> {
  await withEngine(async (client) => {
    const found = sessionNamed(client, name);
    if (options.json) {
      printJson(found);
      return;
    }
    const { branchOf, followers, remote } = found;
    const { machines } = await client.call('machines.list', {});
    const facts = {
      ...found,
      branchOf: branchOf === null ? null : `${branchOf.runId} at ${branchOf.seq}`,
      followers:
        machines
          .filter(({ machineId }) => followers.includes(machineId))
          .map(({ name: called }) => called)
          .join(', ') || null,
      remote: remote && standing(remote),
    };
    const width = Math.max(...Object.keys(facts).map((key) => key.length));
    for (const [key, value] of Object.entries(facts)) {
      if (value !== null) printLine(`${key.padEnd(width)}  ${oneLine(String(value))}`);
    }
  });
}

function standing({ connection, behindBytes, heardAt }: RemoteStanding): string {
  const behind = connection === 'behind' && behindBytes !== null ? `behind ${megabytes(behindBytes)}` : connection;
  return `${behind}, heard ${heardAt ?? 'never'}`;
}

type Client = Parameters<Parameters<typeof withEngine>[0]>[0];

/** Never resolves: it is ended by Ctrl-C, or with the engine. */
function watch(client: Client, isJson: boolean): Promise<never> {
  let last = new Map<string, SessionSummary>();
  const show = () => {
    if (isJson) {
      for (const [runId, summary] of client.sessions) if (last.get(runId) !== summary) printJson(summary);
      for (const runId of last.keys())
        if (![...client.sessions.keys()].some((id) => id === runId)) printJson({ runId, removed: true });
      last = new Map(client.sessions);
      return;
    }
    const drawn = sessionTable(inOrder(client.sessions.values()));
    print(process.stdout.isTTY ? `\x1b[H\x1b[2J${drawn}` : `${drawn}\n`);
  };
  client.onSessions(show);
  show();
  return new Promise(() => {});
}

/** Oldest first, so that the newest stands where the eye is: above the prompt. */
function inOrder(sessions: Iterable<SessionSummary>): SessionSummary[] {
  return [...sessions].sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.runId.localeCompare(b.runId));
}

const STATUS_STYLE: Readonly<Record<SessionStatus, Style>> = {
  starting: 'cyan',
  running: 'green',
  waiting: 'yellow',
  idle: 'cyan',
  moving: 'yellow',
  ended: 'dim',
  interrupted: 'red',
};

function sessionTable(sessions: readonly SessionSummary[]): string {
  if (sessions.length === 0) {
    say('There are no sessions. Start one: baton new');
    return '';
  }
  const paint: Paint = painter(hasColors(process.stdout));
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  const isElsewhere = sessions.some(({ remote }) => remote !== null);
  return table<SessionSummary>(
    [
      { head: 'ID', text: ({ runId }) => shortId(runId) },
      { head: 'KIND', text: ({ kind }) => kind },
      { head: 'STATUS', text: statusOf, paint: (cell, { status }) => paint(STATUS_STYLE[status], cell) },
      ...(isElsewhere ? [{ head: 'MACHINE', text: machineOf }] : []),
      { head: 'ACTIVE', text: ({ lastActivityAt }) => ago(Date.now() - Date.parse(lastActivityAt)) },
      { head: 'TITLE', text: ({ title }) => oneLine(title), shrinks: true },
      { head: 'FOLDER', text: ({ cwd }) => oneLine(cwd) },
    ],
    sessions,
    width,
    (head) => paint('bold', head),
  );
}

function statusOf({ status, exitCode, permissions }: SessionSummary): string {
  if (status === 'ended' && exitCode !== null) return `ended (${exitCode})`;
  return status === 'waiting' && permissions > 1 ? `waiting (${permissions})` : status;
}

/** With what has to be known before one believes what stands beside it. */
function machineOf({ machine, remote, unsent }: SessionSummary): string {
  const named = oneLine(machine);
  if (remote === null) return unsent === null ? named : `${named} (not sent)`;
  return { live: named, behind: named, away: `${named} (away)`, forked: `${named} (forked)`, refused: `${named} (not accepted)` }[
    remote.connection
  ];
}
