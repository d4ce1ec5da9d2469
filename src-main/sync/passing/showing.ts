import type { Clock } from '../../../src-shared/client.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import type { HostMessage, LiveText } from '../../../src-shared/protocol.ts';
import type { Session } from '../../engine/session.ts';
import type { Peers } from './peers.ts';

/** Pieces of text that are written are gathered for so long: each frame is sealed, and passes a relay. */
const GATHER_MS = 30;
/** Of one text in one frame. */
const MAX_PIECE_CHARACTERS = 128 * 1024;

type Shown = Pick<Session, 'runId' | 'liveTexts' | 'viewers'>;
interface Open {
  watchers: number;
  readonly end: () => void;
}

/** Shows what is not in the log of a session to the machines that watch it: who else is there, and the text that is being written. */
export class Showing {
  readonly #peers: Pick<Peers, 'show'>;
  readonly #clock: Clock;
  readonly #open = new Map<RunId, Open>();
  readonly #gathered = new Map<RunId, LiveText[]>();

  constructor(peers: Pick<Peers, 'show'>, clock: Clock) {
    this.#peers = peers;
    this.#clock = clock;
  }

  /** For one more machine, which gets what is being written from its beginning. */
  begin(session: Shown): () => void {
    const { runId, viewers } = session;
    const open = this.#open.get(runId) ?? { watchers: 0, end: viewers.onTold((message) => this.#told(runId, message)) };
    this.#open.set(runId, open);
    open.watchers++;
    this.#flush(runId);
    for (const text of session.liveTexts()) this.#showText(runId, text);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      open.watchers--;
      if (open.watchers > 0 || this.#open.get(runId) !== open) return;
      open.end();
      this.#open.delete(runId);
      this.#gathered.delete(runId);
    };
  }

  #told(runId: RunId, message: HostMessage): void {
    if (message.type === 'run:viewers') {
      this.#peers.show(runId, { type: 'viewers', driver: message.driver, viewers: message.viewers });
    } else if (message.type === 'run:live') this.#gather(runId, message.live);
  }

  #gather(runId: RunId, piece: LiveText): void {
    const gathered = this.#gathered.get(runId);
    if (gathered === undefined) {
      this.#gathered.set(runId, [piece]);
      this.#clock.setTimer(() => this.#flush(runId), GATHER_MS);
      return;
    }
    const last = gathered.at(-1);
    const isNext =
      last?.messageId === piece.messageId && last.block === piece.block && last.offset + last.text.length === piece.offset;
    if (last !== undefined && isNext) gathered[gathered.length - 1] = { ...last, text: last.text + piece.text };
    else gathered.push(piece);
  }

  #flush(runId: RunId): void {
    const gathered = this.#gathered.get(runId);
    this.#gathered.delete(runId);
    for (const text of gathered ?? []) this.#showText(runId, text);
  }

  #showText(runId: RunId, { text, offset, ...of }: LiveText): void {
    for (let at = 0; at === 0 || at < text.length; at += MAX_PIECE_CHARACTERS) {
      const piece = { ...of, offset: offset + at, text: text.slice(at, at + MAX_PIECE_CHARACTERS) };
      this.#peers.show(runId, { type: 'live', texts: [piece] });
    }
  }
}
