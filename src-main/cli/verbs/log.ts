import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { withEngine } from '../engine-client.ts';
import { followLog, type ReadEvent, readLog, seqAfter } from '../log-reader.ts';
import { hasColors, printed } from '../output.ts';
import { OutputTexts } from '../output-text.ts';
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
  readonly #texts = new OutputTexts();
  /** The last event with output: a character that is never completed is told as a line of its own for the same event. */
  #output: ReadEvent | null = null;

  add(event: ReadEvent): string {
    if (!(event.payload instanceof Uint8Array)) {
      return (event.type === 'exited' ? this.end() : '') + jsonLine(event, event.payload);
    }
    this.#output = event;
    return jsonLine(event, this.#texts.take(event.payload));
  }

  end(): string {
    const rest = this.#texts.rest();
    return rest === null || this.#output === null ? '' : jsonLine(this.#output, rest);
  }
}

function jsonLine({ runId, seq, epoch, ts, channel, type }: ReadEvent, payload: unknown): string {
  return `${JSON.stringify({ runId, seq, epoch, ts, channel, type, payload })}\n`;
}
