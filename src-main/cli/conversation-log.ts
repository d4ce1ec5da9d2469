import { type Conversation, EMPTY_CONVERSATION, foldConversation } from '../../src-shared/conversation/conversation.ts';
import { ConversationText } from './conversation-text.ts';
import type { ReadEvent } from './log-reader.ts';

/** A conversation as text, from its log. */
export class ConversationLog {
  #view: Conversation = EMPTY_CONVERSATION;
  readonly #text: ConversationText;

  constructor(hasColors: boolean) {
    this.#text = new ConversationText(hasColors);
  }

  add(event: ReadEvent): string {
    this.#view = foldConversation(this.#view, event);
    return this.#text.update(this.#view.turns);
  }

  end(): string {
    return '';
  }
}
