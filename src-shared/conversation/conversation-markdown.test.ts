import { describe, expect, it } from 'vitest';
import { sampleLog } from '../sim/sample-conversation.ts';
import { EMPTY_CONVERSATION, foldEvents } from './conversation.ts';
import { conversationMarkdown, fenced } from './conversation-markdown.ts';

describe('a conversation as Markdown', () => {
  const text = conversationMarkdown(foldEvents(EMPTY_CONVERSATION, sampleLog().events).turns);

  it('quotes prompts, and gives answers, commands and changes as they are', () => {
    expect(text).toContain('> Which files are here?\n\nI look.');
    expect(text).toContain('**Bash**\n\n```sh\nnpm test\n```');
    expect(text).toContain('**Edit** `README.md`\n\n```diff\n@@ -1,2 +1,2 @@\n # Baton\n-old\n+new\n```');
    expect(text).toContain('**Error:** API Error: 529 Overloaded');
  });

  it('leaves out thinking and book-keeping', () => {
    expect(text).not.toContain('I look at the folder first.');
    expect(text).not.toContain('queue-operation');
  });

  it('makes fences that their content cannot end', () => {
    expect(fenced('md', 'a\n````\nb')).toBe('`````md\na\n````\nb\n`````');
  });
});
