import type { Item, ToolItem, Turn } from './conversation-items.ts';

/** A conversation as Markdown, to copy or to export: prompts, answers, tool calls with what they gave back. */
export function conversationMarkdown(turns: readonly Turn[]): string {
  const parts = turns.map(turnMarkdown).filter((part) => part !== '');
  return parts.length === 0 ? '' : `${parts.join('\n\n')}\n`;
}

export function turnMarkdown(turn: Turn): string {
  const { prompt } = turn;
  const asked = prompt === null ? [] : [promptMarkdown(prompt.text ?? '', prompt.images.length)];
  return [...asked, answerMarkdown(turn.items)].filter((part) => part !== '').join('\n\n');
}

function promptMarkdown(text: string, images: number): string {
  const quoted = text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
  return images === 0 ? quoted : `${quoted}\n>\n> [${images} ${images === 1 ? 'image' : 'images'}]`;
}

/** What came back, without thinking and book-keeping. */
export function answerMarkdown(items: readonly Item[]): string {
  return items
    .map(itemMarkdown)
    .filter((part) => part !== '')
    .join('\n\n');
}

function itemMarkdown(item: Item): string {
  switch (item.kind) {
    case 'text':
      return item.text.trim();
    case 'tool':
      return toolMarkdown(item);
    case 'error':
      return `**Error:** ${item.text}`;
    default:
      return '';
  }
}

function toolMarkdown(tool: ToolItem): string {
  const head = `**${tool.name}**`;
  const command = tool.input.command;
  const input = typeof command === 'string' ? fenced('sh', command) : fenced('json', JSON.stringify(tool.input, null, 2));
  const { result } = tool;
  const parts = [head, input];
  if (result?.detail?.kind === 'patch' && result.detail.hunks.length > 0) {
    const lines = result.detail.hunks.flatMap((hunk) => [
      `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
      ...hunk.lines,
    ]);
    return [`**${tool.name}** \`${result.detail.path}\``, fenced('diff', lines.join('\n'))].join('\n\n');
  }
  if (result !== null && result.text !== '') parts.push(fenced('', result.text));
  return parts.join('\n\n');
}

/** A code block that its content cannot end. */
export function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
