import type { LiveText } from './protocol.ts';

/** Texts being written now, each whole from its beginning, in the order they began. */
export class LiveTexts {
  #texts = new Map<string, LiveText>();

  /** Pieces overlap or repeat after a reconnect: `offset` says where a piece belongs. */
  add(piece: LiveText): void {
    const key = `${piece.messageId}\n${piece.block}`;
    const before = this.#texts.get(key);
    const text = before === undefined ? piece.text : before.text.slice(0, piece.offset) + piece.text;
    this.#texts.set(key, { ...piece, offset: before === undefined ? piece.offset : 0, text });
  }

  clear(): void {
    this.#texts.clear();
  }

  get all(): readonly LiveText[] {
    return [...this.#texts.values()];
  }
}
