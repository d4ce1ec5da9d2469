import { type CardSession, MachineCard } from '../../../src-shared/replication.ts';
import { decodeJson, parseAs } from '../../../src-shared/values.ts';
import { pack, unpack } from './log-payload.ts';

/** Of the packed card; with more sessions the oldest are left out. */
const MAX_CARD_BYTES = 512 * 1024;
/** Of one that came: twice what that many bytes hold of honest sessions. */
const MAX_CARD_VALUES = 300_000;

/** A card as the payload of a batch. */
export async function encodeCard(card: MachineCard): Promise<Uint8Array> {
  for (let sessions = card.sessions; ; sessions = newest(sessions, Math.floor(sessions.length * 0.8))) {
    const payload = await pack(new TextEncoder().encode(JSON.stringify({ ...card, sessions })));
    if (payload.byteLength <= MAX_CARD_BYTES) return payload;
  }
}

/** Throws for what is no card. */
export async function decodeCard(payload: Uint8Array): Promise<MachineCard> {
  return parseAs(MachineCard, decodeJson(new TextDecoder().decode(await unpack(payload)), MAX_CARD_VALUES));
}

function newest(sessions: readonly CardSession[], count: number): CardSession[] {
  return [...sessions].sort((a, b) => b.createdTs - a.createdTs).slice(0, count);
}
