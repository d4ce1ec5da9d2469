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
  const { sessions, machines } = asksForName(words) ? await Promise.race([names(), nothingAfter(PATIENCE_MS)]) : NOTHING;
  for (const command of commands.commands.values()) {
    for (const [what, offered] of [
      ['session', sessions],
      ['machine', machines],
    ] as const) {
      const offer = (add: (value: string, description: string) => void) => {
        for (const { value, description } of offered) add(value, description);
      };
      const argument = command.arguments.get(what);
      const option = command.options.get(what);
      if (argument !== undefined) argument.handler = offer;
      if (option !== undefined) option.handler = offer;
    }
  }
  commands.parse([...words]);
  return EXIT.done;
}

/** The first word names the verb: nothing has to be asked for it. */
function asksForName(words: readonly string[]): boolean {
  return words.length > 1;
}

interface Offered {
  readonly value: string;
  readonly description: string;
}
interface Names {
  readonly sessions: readonly Offered[];
  readonly machines: readonly Offered[];
}
const NOTHING: Names = { sessions: [], machines: [] };

async function names(): Promise<Names> {
  try {
    const place = enginePlace();
    const socket = await connectTo(place.socket);
    if (socket === null) return NOTHING;
    return await withSocket(place, socket, async (client) => {
      const { machines } = await client.call('machines.list', {});
      return {
        sessions: [...client.sessions.values()].map(({ runId, title, status }) => ({
          value: shortId(runId),
          description: oneLine(`${title} (${status})`),
        })),
        machines: machines.map(({ name, self, online }) => ({
          value: oneLine(name),
          description: self ? 'this machine' : online ? 'online' : 'offline',
        })),
      };
    });
  } catch {
    // There is nothing to offer, and nobody who could be told.
    return NOTHING;
  }
}

function nothingAfter(ms: number): Promise<Names> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(NOTHING), ms);
  });
}
