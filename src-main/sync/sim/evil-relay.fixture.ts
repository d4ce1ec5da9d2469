import { encodeRelayMessage, parseToRelay } from '../../../src-shared/relay-protocol.ts';
import { readBatch } from '../../../src-shared/sealed-batch.ts';
import type { Direction, Line, Meddle } from './line.fixture.ts';

/** Frames that it has seen, to show them again. */
const MAX_KEPT = 50;

/** What a relay that lies does to what passes. The handshake it leaves alone: without it nothing would pass. */
export function evilRelay(random: () => number, line: Line): Meddle {
  const kept: Record<Direction, Uint8Array[]> = { 'to-relay': [], 'from-relay': [] };
  const heldBack: Record<Direction, Uint8Array[]> = { 'to-relay': [], 'from-relay': [] };
  let passed = 0;
  return (direction, frame) => {
    if (passed++ < 10) return [frame];
    const chance = random();
    const seen = kept[direction];
    if (seen.length < MAX_KEPT) seen.push(frame);
    else seen[Math.floor(random() * MAX_KEPT)] = frame;
    const again = seen[Math.floor(random() * seen.length)] ?? frame;
    if (chance < 0.02) return [];
    if (chance < 0.05) return [frame, frame];
    if (chance < 0.08) return [again, frame];
    if (chance < 0.1) return [changed(frame, random)];
    if (chance < 0.13) {
      heldBack[direction].push(frame);
      return [];
    }
    if (chance < 0.16 && direction === 'to-relay' && claimStored(line, frame)) return [];
    return [frame, ...heldBack[direction].splice(0)];
  };
}

function changed(frame: Uint8Array, random: () => number): Uint8Array {
  const copy = frame.slice();
  const at = Math.floor(random() * copy.byteLength);
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return copy;
}

/** Says that it lies on the disk; it does not. */
function claimStored(line: Line, frame: Uint8Array): boolean {
  const message = parseToRelay(frame);
  if (message.type !== 'batch' || message.ask === null) return false;
  const header = readBatch(message.frame)?.header;
  if (header === undefined) return false;
  const position = header.kind === 'log' ? header.seqTo : 1;
  line.forge('from-relay', encodeRelayMessage({ type: 'stored', ask: message.ask, position }));
  return true;
}
