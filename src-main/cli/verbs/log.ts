import type { RunSessionClient } from '../../../src-shared/client.ts';
import { type EventJson, EventJsons } from '../../../src-shared/event-json.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { withEngine } from '../engine-client.ts';
import { followLog, type ReadEvent, readLog, seqAfter } from '../log-reader.ts';
import { hasColors, printed } from '../output.ts';
import { sessionNamed } from './sessions.ts';

interface LogOptions {
  readonly after?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** How a log is printed: what an event adds, and what is left at the end. */
interface LogPrinter {
  add(event: ReadEvent): string;
  end(): string;
}

export async function log(name: string | undefined, options: LogOptions): Promise<undefined> {
  await withEngine(async (client) => {
    const session = sessionNamed(client, name);
    const printer = await printerFor(session, options.json === true);
    for await (const event of eventsOf(client, session, options)) {
      const text = printer.add(event);
      if (text !== '') await printed(text);
    }
    await printed(printer.end());
  });
}

function eventsOf(client: RunSessionClient, { runId }: SessionSummary, options: LogOptions): AsyncIterable<ReadEvent> {
  const after = seqAfter(options.after);
  return options.follow ? followLog(client, runId, after) : readLog(client, runId, after);
}

async function printerFor(session: SessionSummary, isJson: boolean): Promise<LogPrinter> {
  if (isJson) return new JsonLines();
  if (session.kind === 'claude') {
    const { ConversationLog } = await import('../conversation-log.ts');
    return new ConversationLog(hasColors(process.stdout));
  }
  const { PlainOutput } = await import('../plain-output.ts');
  return new PlainOutput(hasColors(process.stdout));
}

/** One line for each event, as documented in docs/cli.md. */
class JsonLines implements LogPrinter {
  readonly #events = new EventJsons();

  add(event: ReadEvent): string {
    return lines(this.#events.add(event));
  }

  end(): string {
    return lines(this.#events.end());
  }
}

function lines(events: readonly EventJson[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
