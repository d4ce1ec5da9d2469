import { script } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { withSocket } from './engine-client.ts';
import { connectTo, enginePlace } from './engine-place.ts';
import { EXIT } from './failure.ts';
import { shortId } from './find-session.ts';
import { oneLine } from './output.ts';

export async function printScript(shell: string): Promise<undefined> {
  script(shell, 'baton', 'baton');
}

/** Whoever presses Tab waits no longer than this for the engine. */
const PATIENCE_MS = 120;

/** Answers what the shell's script asks: `baton complete -- <words so far>`. */
export async function complete(root: Command, words: readonly string[]): Promise<number> {
  const commands = tab(root);
  const sessions = asksForSession(words) ? await Promise.race([sessionNames(), nothingAfter(PATIENCE_MS)]) : [];
  for (const command of commands.commands.values()) {
    const argument = command.arguments.get('session');
    const option = command.options.get('session');
    const offer = (add: (value: string, description: string) => void) => {
      for (const { id, title } of sessions) add(id, title);
    };
    if (argument !== undefined) argument.handler = offer;
    if (option !== undefined) option.handler = offer;
  }
  commands.parse([...words]);
  return EXIT.done;
}

/** The first word names the verb: nothing has to be asked for it. */
function asksForSession(words: readonly string[]): boolean {
  return words.length > 1;
}

interface SessionName {
  readonly id: string;
  readonly title: string;
}

async function sessionNames(): Promise<readonly SessionName[]> {
  try {
    const place = enginePlace();
    const socket = await connectTo(place.socket);
    if (socket === null) return [];
    return await withSocket(place, socket, async (client) =>
      [...client.sessions.values()].map(({ runId, title, status }) => ({
        id: shortId(runId),
        title: oneLine(`${title} (${status})`),
      })),
    );
  } catch {
    // There is nothing to offer, and nobody who could be told.
    return [];
  }
}

function nothingAfter(ms: number): Promise<readonly SessionName[]> {
  return new Promise((resolve) => {
    setTimeout(() => resolve([]), ms);
  });
}
