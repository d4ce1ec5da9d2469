import { CLOSE } from '../../src-shared/refusal.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import type { Obtained, StartOptions } from '../start-engine.ts';
import { streamWire } from '../stream-wire.ts';
import { joinWires, type Tap } from './shell-tap.ts';

/** When the window is there. */
const SERVER_AFTER_MS = 1_500;

export interface EngineDoorOptions extends StartOptions {
  /** The engine in this process has a local server now. */
  readonly onServing: () => void;
}

/** The way to the engine, whether it lives in this process or in one that ran before the app was opened. */
export class EngineDoor {
  readonly #options: EngineDoorOptions;
  #obtaining: Promise<Obtained> | null = null;
  #isOwn = false;
  #isStopped = false;

  constructor(options: EngineDoorOptions) {
    this.#options = options;
  }

  /** This process is the engine: its sessions end with the app. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Rejects with a message for people where there is no engine and none can be started. */
  async open(): Promise<void> {
    await this.#obtain();
  }

  /** Serves a window's page. */
  async attachPage(page: Wire, tap: Tap): Promise<void> {
    const obtained = await this.#obtain();
    if (obtained.kind === 'here') obtained.engine.attachWire(page, { isLocal: true, road: 'window', shell: tap.handlers });
    else joinWires(page, await this.#connectTo(obtained), tap);
  }

  /** A wire for the shell itself. */
  async connect(): Promise<Wire> {
    const obtained = await this.#obtain();
    if (obtained.kind === 'there') return await this.#connectTo(obtained);
    const [client, host] = wirePair();
    obtained.engine.attachWire(host, { isLocal: true, road: 'window' });
    return client;
  }

  /** The computer is about to sleep. An engine elsewhere finds out by itself, and so does one that is not there yet. */
  async sleep(): Promise<void> {
    const obtained = await this.#obtaining;
    if (obtained?.kind === 'here') await obtained.sleep();
  }

  async wake(): Promise<void> {
    const obtained = await this.#obtaining;
    if (obtained?.kind === 'here') obtained.wake();
  }

  /** Ends what runs in this process; an engine elsewhere goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const obtained = await this.#obtaining?.catch(() => null);
    if (obtained?.kind === 'here') await obtained.stop();
  }

  #obtain(): Promise<Obtained> {
    if (this.#isStopped) return Promise.reject(new Error(CLOSE.shuttingDown.reason));
    this.#obtaining ??= this.#start().catch((error: unknown) => {
      this.#obtaining = null;
      throw error;
    });
    return this.#obtaining;
  }

  async #start(): Promise<Obtained> {
    // Loaded only now: meanwhile the window's page is coming up in its own process.
    const { obtainEngine } = await import('../start-engine.ts');
    const obtained = await obtainEngine(this.#options);
    this.#isOwn = obtained.kind === 'here';
    // Loading it would hold up the window that is coming up.
    if (obtained.kind === 'here') {
      setTimeout(() => {
        void obtained.startServer().then(() => this.#options.onServing());
        void obtained.startMachines();
      }, SERVER_AFTER_MS);
    }
    // Every wire gets a connection of its own.
    if (obtained.kind === 'there') obtained.socket.destroy();
    return obtained;
  }

  async #connectTo(obtained: Extract<Obtained, { kind: 'there' }>): Promise<Wire> {
    try {
      return streamWire(await obtained.connect());
    } catch {
      // That engine is gone. The next one may be this process.
      this.#obtaining = null;
      return await this.connect();
    }
  }
}
