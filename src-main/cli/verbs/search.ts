import { TITLE_CHANNEL } from '../../../src-shared/operations.ts';
import { withEngine } from '../engine-client.ts';
import { EXIT } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { hasColors, oneLine, painter, printJson, printLine, say } from '../output.ts';
import { sessionNamed } from './sessions.ts';

interface SearchOptions {
  readonly session?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** What one request may ask for. */
const PAGE_HITS = 500;

/** As with grep, code 1 says that nothing was found. */
export async function search(query: string, options: SearchOptions): Promise<number> {
  return await withEngine(async (client) => {
    const scope = options.session === undefined ? {} : { runId: sessionNamed(client, options.session).runId };
    const hits = [];
    for (let cursor: string | null | undefined; hits.length < options.limit && cursor !== null; ) {
      const limit = Math.min(PAGE_HITS, options.limit - hits.length);
      const page = await client.call('history.search', { query, limit, ...scope, ...(cursor === undefined ? {} : { cursor }) });
      hits.push(...page.hits);
      cursor = page.cursor;
    }
    if (options.json) printJson({ hits });
    else {
      const paint = painter(hasColors(process.stdout));
      for (const { runId, seq, channel, before, match, after } of hits) {
        const title = oneLine(client.sessions.get(runId)?.title ?? '');
        const found = `${oneSpace(before)}${paint('yellow', oneLine(match))}${oneSpace(after)}`;
        const place = channel === TITLE_CHANNEL ? 'title' : `${title} #${seq}`;
        printLine(`${paint('cyan', shortId(runId))} ${paint('dim', place)}  ${found}`);
      }
      if (hits.length === 0) say('Nothing found.');
    }
    return hits.length > 0 ? EXIT.done : EXIT.failed;
  });
}

/** One line, but with the blanks between it and the match. */
function oneSpace(text: string): string {
  const line = oneLine(text);
  return `${/^\s/.test(text) ? ' ' : ''}${line}${line !== '' && /\s$/.test(text) ? ' ' : ''}`;
}
