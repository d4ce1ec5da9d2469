import { PROTOCOL_VERSION } from '../../../src-shared/protocol.ts';
import { counterFloor, type MachineCard } from '../../../src-shared/replication.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import { standing, whyOf } from '../link/standing.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import { encodeCard } from './card.ts';
import type { LogSource, PublisherOptions } from './publisher.ts';

const CARD_EVERY_MS = 250;
const RETRY_MS = 5_000;
/** How long the last card may take when this machine ends or is put to sleep. */
const FAREWELL_MS = 1_000;

export interface CardPublisherOptions extends Pick<PublisherOptions, 'about'> {
  readonly source: Pick<LogSource, 'hosted' | 'deleted'>;
  /** The publisher's, see counterFloor. */
  readonly round: () => number;
}

/** Says what this machine is and hosts, whenever that changes: at once, then at most every so often. The newest replaces the one before. */
export class CardPublisher {
  readonly #context: SyncContext;
  readonly #options: CardPublisherOptions;
  readonly #endState: () => void;
  /** The newest at the relay; null: it has to be asked. */
  #last: { readonly counter: number; readonly hash: string } | null = null;
  /** The highest of this life: a relay that was set back may not know of it. */
  readonly #used = { counter: 0 };
  #isDue = false;
  #isPaused = false;
  #isAsleep = false;
  #isStopped = false;
  #cancelPause = () => {};
  #sending: Promise<void> = Promise.resolve();

  constructor(context: SyncContext, options: CardPublisherOptions) {
    this.#context = context;
    this.#options = options;
    this.#endState = context.link.onState(({ is }) => {
      this.#last = null;
      // Who connects is awake, also where nothing has told of it.
      if (is === 'live') this.#isAsleep = false;
    });
  }

  /** Something of it has changed. */
  plan(): void {
    this.#isDue = true;
    if (this.#isPaused || this.#isStopped || this.#context.link.state.is !== 'live') return;
    this.#isPaused = true;
    this.#isDue = false;
    const sending = this.#sending.catch(() => {}).then(() => this.#send(this.#isAsleep ? 'asleep' : 'up'));
    this.#sending = sending.then(
      () => this.#pause(CARD_EVERY_MS),
      (error: unknown) => {
        this.#last = null;
        this.#isDue = true;
        const why = whyOf(error);
        if (why === 'unknown') this.#context.onProblem('this machine could not say what it hosts', error);
        this.#pause(why === 'lost' ? CARD_EVERY_MS : RETRY_MS);
      },
    );
  }

  #pause(ms: number): void {
    if (this.#isStopped) return;
    this.#cancelPause = this.#context.clock.setTimer(() => {
      this.#isPaused = false;
      if (this.#isDue) this.plan();
    }, ms);
  }

  /** Says goodbye, if it can soon. Unsaid, the relay says that this machine is gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPause();
    await this.#sayBeforeGoing('quit');
    this.#endState();
  }

  /** The machine is about to sleep: it says so if it can at once. */
  async sleep(): Promise<void> {
    this.#isAsleep = true;
    await this.#sayBeforeGoing('asleep');
  }

  wake(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.plan();
  }

  async #sayBeforeGoing(state: 'asleep' | 'quit'): Promise<void> {
    if (this.#last === null || this.#context.link.state.is !== 'live') return;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#context.clock.setTimer(resolve, FAREWELL_MS);
    });
    this.#sending = this.#sending.then(() => this.#send(state)).catch(() => {});
    await Promise.race([this.#sending, late]);
    cancel();
  }

  async #send(state: MachineCard['state']): Promise<void> {
    const { signer, keyring, link } = this.#context;
    const { source, about, round } = this.#options;
    const stream = keyring.streamName('index', signer.machine);
    const last = this.#last ?? (await standing(this.#context, stream, 'index')) ?? { counter: 0, hash: NO_BATCH_HASH };
    const payload = await encodeCard({
      ...about(),
      protocol: PROTOCOL_VERSION,
      state,
      sessions: [...source.hosted()],
      deleted: [...source.deleted()],
    });
    this.#used.counter = counterFloor(last, this.#used, round()) + 1;
    const { counter } = this.#used;
    const header = { kind: 'index', stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash: last.hash } as const;
    const batch = seal(this.#context, header, payload);
    await link.append(batch.frame, 'rest');
    this.#last = { counter, hash: batch.hash };
  }
}
