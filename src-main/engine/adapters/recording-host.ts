import type { LogEvent, NewEvent } from '../../../src-shared/events.ts';
import { FIRST_EPOCH, NO_SEQ, nextSeq, RunId, type Seq } from '../../../src-shared/ids.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import type { SessionSpec, SessionState } from '../../../src-shared/session.ts';
import { foldState, initialState } from '../../../src-shared/session-state.ts';
import type { AdapterHost } from './adapter.ts';

/** Everything an adapter told its host, in order. */
export type Told =
  | { readonly kind: 'events'; readonly events: readonly NewEvent[]; readonly durable: boolean }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'live'; readonly text: LiveText }
  | { readonly kind: 'child'; readonly pid: number | null }
  | { readonly kind: 'turnEnded'; readonly end: Parameters<AdapterHost['turnEnded']>[0] }
  | { readonly kind: 'exited'; readonly exit: Parameters<AdapterHost['exited']>[0] };

export interface RecordingHostOptions {
  /** Environment of the children; default: this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the session's log holds already. */
  readonly log?: readonly LogEvent[];
  /** Logs of other sessions that `readLog` may be asked for. */
  readonly otherLogs?: readonly (readonly LogEvent[])[];
}

/** An AdapterHost for tests: keeps everything in memory and folds its log as a session does. */
export class RecordingHost implements AdapterHost {
  readonly runId: RunId;
  readonly spec: SessionSpec;
  readonly told: Told[] = [];
  readonly log: LogEvent[];
  private current: SessionState;
  private readonly options: RecordingHostOptions;
  private waiting: (() => void)[] = [];

  constructor(spec: SessionSpec, options: RecordingHostOptions = {}) {
    this.spec = spec;
    this.options = options;
    this.log = [...(options.log ?? [])];
    this.runId = this.log[0]?.runId ?? RunId.parse(crypto.randomUUID());
    this.current = this.log.reduce(foldState, initialState(spec));
  }

  get state(): SessionState {
    return this.current;
  }

  childEnv(): Record<string, string> {
    const inherited = Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
    return { ...(this.options.env ?? Object.fromEntries(inherited)) };
  }

  append(events: readonly NewEvent[], options: { readonly durable?: boolean } = {}): Promise<Seq> {
    for (const event of events) this.number(event);
    this.tell({ kind: 'events', events, durable: options.durable === true });
    return Promise.resolve(this.log.at(-1)?.seq ?? NO_SEQ);
  }

  output(bytes: Uint8Array): void {
    const kept = new Uint8Array(bytes);
    this.number({ channel: 'pty:stdout', type: 'data', payload: kept });
    this.tell({ kind: 'output', bytes: kept });
  }

  live(text: LiveText): void {
    this.tell({ kind: 'live', text });
  }

  async *readLog(query: Parameters<AdapterHost['readLog']>[0]): AsyncIterable<LogEvent> {
    const { runId = this.runId, after = NO_SEQ, upTo = Number.MAX_SAFE_INTEGER, channels } = query;
    const log = runId === this.runId ? this.log : this.options.otherLogs?.find((other) => other[0]?.runId === runId);
    if (log === undefined) throw new Error(`no log of session ${runId}`);
    for (const event of [...log]) {
      if (event.seq <= after || event.seq > upTo || (channels !== undefined && !channels.includes(event.channel))) continue;
      yield event;
    }
  }

  child(pid: number | null): Promise<void> {
    this.tell({ kind: 'child', pid });
    return Promise.resolve();
  }

  turnEnded(end: Parameters<AdapterHost['turnEnded']>[0]): void {
    this.number({ channel: 'run:turn', type: 'ended', payload: end });
    this.tell({ kind: 'turnEnded', end });
  }

  exited(exit: Parameters<AdapterHost['exited']>[0]): void {
    this.number({ channel: 'system:status', type: 'exited', payload: exit });
    this.tell({ kind: 'exited', exit });
  }

  /** Everything of one kind that was told so far. */
  toldOf<K extends Told['kind']>(kind: K): Extract<Told, { kind: K }>[] {
    return this.told.filter((told): told is Extract<Told, { kind: K }> => told.kind === kind);
  }

  /** All output so far. */
  outputBytes(): Uint8Array {
    return Buffer.concat(this.toldOf('output').map((told) => told.bytes));
  }

  outputText(): string {
    return Buffer.from(this.outputBytes()).toString('utf8');
  }

  /** Resolves when the condition, looked at now and after everything that is told, holds. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (condition()) resolve();
          else this.waiting.push(look);
        } catch (error) {
          reject(error);
        }
      };
      look();
    });
  }

  /** Resolves with what `find` makes of the first thing told (after the first `from` ones) that it makes something of. */
  async when<T>(find: (told: Told) => T | undefined, from = 0): Promise<T> {
    let found: T | undefined;
    let next = from;
    await this.until(() => {
      for (let told = this.told[next]; found === undefined && told !== undefined; told = this.told[++next]) found = find(told);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('unreachable: the condition held');
    return found;
  }

  private number(event: NewEvent): void {
    const seq = nextSeq(this.log.at(-1)?.seq ?? NO_SEQ);
    const logged: LogEvent = { ...event, runId: this.runId, seq, epoch: FIRST_EPOCH, ts: Date.now() };
    this.log.push(logged);
    this.current = foldState(this.current, logged);
  }

  private tell(told: Told): void {
    this.told.push(told);
    const waiting = this.waiting;
    this.waiting = [];
    for (const look of waiting) look();
  }
}

export function recordingHost(spec: SessionSpec, options?: RecordingHostOptions): RecordingHost {
  return new RecordingHost(spec, options);
}
