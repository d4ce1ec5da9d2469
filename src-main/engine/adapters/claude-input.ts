import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { PromptContent } from '../../../src-shared/events.ts';
import type { InputId } from '../../../src-shared/ids.ts';

/** Prompts on their way to Claude Code: handed over one by one, until the feed is ended. */
export class PromptFeed implements AsyncIterable<SDKUserMessage> {
  // A session gives the next prompt only after a turn has ended, so that at most one waits here.
  readonly #waiting: { readonly message: SDKUserMessage; readonly onWritten: () => void }[] = [];
  #wake: (() => void) | null = null;
  #isEnded = false;

  /** Resolves when Claude Code's input holds the message: what is sent to it from then on comes behind. */
  push(message: SDKUserMessage): Promise<void> {
    return new Promise((onWritten) => {
      this.#waiting.push({ message, onWritten });
      this.#wake?.();
    });
  }

  /** Claude Code ends after the turn that it is in. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SDKUserMessage, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next.message;
        // The SDK comes back for more when it has written this one.
        next.onWritten();
      } else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

/** The prompt's inputId becomes the uuid of its transcript entry, so that queue and conversation know each other's prompts. */
export function userMessage({ inputId, content }: { inputId: InputId; content: PromptContent }): SDKUserMessage {
  const images = content.images.map(({ mediaType, base64 }) => ({
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: mediaType, data: base64 },
  }));
  // Without images a plain text: only then slash commands are recognised.
  const said =
    images.length === 0
      ? content.text
      : [...images, ...(content.text === '' ? [] : [{ type: 'text' as const, text: content.text }])];
  return {
    type: 'user',
    uuid: uuidOf(inputId),
    message: { role: 'user', content: said },
    parent_tool_use_id: null,
  };
}

type Uuid = NonNullable<SDKUserMessage['uuid']>;

function uuidOf(inputId: InputId): Uuid {
  const [a = '', b = '', c = '', d = '', e = ''] = inputId.split('-');
  return `${a}-${b}-${c}-${d}-${e}`;
}
