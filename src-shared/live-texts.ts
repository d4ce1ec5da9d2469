import type { LiveText } from './protocol.ts';

export const liveTextKey = ({ messageId, block }: Pick<LiveText, 'messageId' | 'block'>): string => `${messageId}\n${block}`;

/**
 * What is known of a text with one more piece of it; `offset` says where a piece belongs. Pieces overlap and repeat: whoever begins to look
 * gets all of them again, and so does everybody else. A text only grows, so what is known behind a piece stays.
 */
export function withPiece(known: LiveText | undefined, piece: LiveText): LiveText {
  if (known === undefined || piece.offset < known.offset) return piece;
  const at = piece.offset - known.offset;
  const text = known.text.slice(0, at) + piece.text + known.text.slice(at + piece.text.length);
  return { ...piece, offset: known.offset, text };
}

/** Texts being written now, each whole from its beginning, in the order they began. */
export class LiveTexts {
  #texts = new Map<string, LiveText>();

  add(piece: LiveText): void {
    const key = liveTextKey(piece);
    this.#texts.set(key, withPiece(this.#texts.get(key), piece));
  }

  clear(): void {
    this.#texts.clear();
  }

  get all(): readonly LiveText[] {
    return [...this.#texts.values()];
  }
}
