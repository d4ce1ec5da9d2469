import { type CardSession, MachineCard } from '../../src-shared/replication.ts';
import { pack, unpack } from './log-payload.ts';

/** Of the packed card; with more sessions the oldest are left out. */
const MAX_CARD_BYTES = 512 * 1024;

/** A card as the payload of a batch. */
export async function encodeCard(card: MachineCard): Promise<Uint8Array> {
  for (let sessions = card.sessions; ; sessions = newest(sessions, Math.floor(sessions.length * 0.8))) {
    const payload = await pack(new TextEncoder().encode(JSON.stringify({ ...card, sessions })));
    if (payload.byteLength <= MAX_CARD_BYTES) return payload;
  }
}

/** Throws for what is no card. */
export async function decodeCard(payload: Uint8Array): Promise<MachineCard> {
  return MachineCard.parse(JSON.parse(new TextDecoder().decode(await unpack(payload))));
}

function newest(sessions: readonly CardSession[], count: number): CardSession[] {
  return [...sessions].sort((a, b) => b.createdTs - a.createdTs).slice(0, count);
}
