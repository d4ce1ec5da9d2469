import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { Seq } from '../../../src-shared/ids.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { newInputId, withEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { awayHost, sendOrLeave } from '../host-away.ts';
import { printJson } from '../output.ts';
import { sessionNamed } from './sessions.ts';

interface SendOptions {
  readonly raw?: boolean;
  readonly enter: boolean;
  readonly json?: boolean;
}

/** What one command may hand over; a prompt has the same bound. */
const MAX_STDIN_BYTES = 1_000_000;
/** Keys go in pieces that no frame bound minds. */
const KEYS_BYTES = 64 * 1024;
const ENTER = '\r';

export async function send(name: string, words: readonly string[], options: SendOptions): Promise<undefined> {
  if (options.raw && words.length > 0) throw new Failure(EXIT.usage, '--raw sends stdin: give no text beside it.');
  await withEngine(async (client) => {
    const session = sessionNamed(client, name);
    if (session.kind === 'pty') {
      await type(client, session, words, options);
      if (options.json) printJson({ runId: session.runId, seq: null });
      return;
    }
    const seq = await prompt(client, session, words);
    if (options.json) printJson({ runId: session.runId, seq, ...(seq === null ? { waitsFor: session.machine } : {}) });
  });
}

/** Typed bytes have no event of their own: the answer to a call behind them on the same wire says that they have arrived. */
async function type(
  client: RunSessionClient,
  session: SessionSummary,
  words: readonly string[],
  options: SendOptions,
): Promise<void> {
  const { runId, status } = session;
  if (status === 'ended' || status === 'interrupted') {
    throw new Failure(EXIT.conflict, `Nothing runs in ${shortId(runId)} any more: nobody would read it.`);
  }
  const host = awayHost(session);
  if (host !== null) {
    throw new Failure(EXIT.failed, `${host} is out of reach: nobody would read it.`, 'Send it when that machine is back.');
  }
  const keys = options.raw ? await stdin() : Buffer.from(line(await textOf(words)) + (options.enter ? ENTER : ''));
  await new Promise<void>((resolve, reject) => {
    const attachment = client.attach(
      runId,
      { after: session.lastSeq },
      {
        onStart: () => {},
        onEvents: () => {},
        onRefused: ({ message, hint }) => reject(new Failure(EXIT.notFound, message, hint)),
        onFollowing: (isFollowing) => {
          if (!isFollowing) return;
          for (let at = 0; at < keys.length; at += KEYS_BYTES) attachment.keys(keys.subarray(at, at + KEYS_BYTES));
          resolve();
        },
      },
    );
  });
  await client.call('session.get', { runId });
}

/** Line feeds are Enter to a terminal; the last one is what `--no-enter` is about. */
function line(text: string): string {
  return text.replace(/\r?\n$/, '').replace(/\r?\n/g, ENTER);
}

async function prompt(client: RunSessionClient, session: SessionSummary, words: readonly string[]): Promise<Seq | null> {
  const text = await textOf(words);
  return await sendOrLeave(client, session, { kind: 'prompt', inputId: newInputId(), content: { text, images: [] } });
}

async function textOf(words: readonly string[]): Promise<string> {
  if (words.length > 0) return words.join(' ');
  if (process.stdin.isTTY)
    throw new Failure(EXIT.usage, 'What is to be sent?', 'baton send <session> <text>, or a text on stdin');
  return (await stdin()).toString('utf8');
}

async function stdin(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin) {
    const read = Buffer.from(piece);
    pieces.push(read);
    bytes += read.length;
    if (bytes > MAX_STDIN_BYTES)
      throw new Failure(EXIT.refused, `stdin holds more than ${MAX_STDIN_BYTES} bytes.`, 'Send a file’s name instead.');
  }
  return Buffer.concat(pieces);
}
