import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientOptions, WebSocket } from 'ws';
import { PATHS, tokenSubprotocol, WIRE_SUBPROTOCOL } from '../../src-shared/http-api.ts';
import type { ClientId } from '../../src-shared/ids.ts';
import {
  type ClientMessage,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseHostMessage,
} from '../../src-shared/protocol.ts';
import type { CloseReason } from '../../src-shared/refusal.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src-shared/settings.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { type ClaudeParts, type Ground, ground } from '../engine/engine.fixture.ts';
import { LocalServer } from '../local-server.ts';
import type { LogFields, Logger } from '../logger.ts';
import type { RunningServer } from './server.ts';
import type { Tokens } from './tokens.ts';

export interface ServerGround extends Ground {
  readonly local: LocalServer;
  readonly server: RunningServer;
  readonly tokens: Tokens;
  readonly file: string;
  readonly notices: readonly string[];
  /** Lines of the log: event and fields. */
  readonly logged: readonly (LogFields & { readonly event: string })[];
  /** Changes settings as an edit of the file would. */
  change(settings: Partial<Settings>): Promise<void>;
  /** Stops the server and starts another one that knows only what was stored, as a restart of the engine would. */
  restart(): Promise<void>;
}

/** A real engine behind a real server at a free port. */
export async function serverGround(settings: Partial<Settings> = {}, claude?: ClaudeParts): Promise<ServerGround> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-server-'));
  const here = await ground(folder, claude, {
    'settings.get': async () => ({ settings: inForce, path: join(folder, 'settings.json'), problems: [] }),
  });
  const file = join(folder, 'server.json');
  const notices: string[] = [];
  const logged: (LogFields & { readonly event: string })[] = [];
  let inForce: Settings = { ...DEFAULT_SETTINGS, ...settings };
  const newServer = () =>
    new LocalServer({
      engine: here.engine,
      store: here.store,
      logger: keepLines(logged),
      version: '0.0.0',
      pageFolder: join(folder, 'page'),
      file,
      settings: () => inForce,
      onNotice: (message) => notices.push(message),
    });
  let local = newServer();
  await local.follow();
  const running = () => {
    if (local.running === null) throw new Error(`the server does not run: ${notices.join(' ')}`);
    return local.running;
  };
  return {
    ...here,
    get local() {
      return local;
    },
    get server() {
      return running().server;
    },
    get tokens() {
      return running().tokens;
    },
    file,
    notices,
    logged,
    change: (change) => {
      inForce = { ...inForce, ...change };
      return local.follow();
    },
    restart: async () => {
      await local.stop();
      local = newServer();
      await local.follow();
    },
    dispose: async () => {
      await local.stop();
      await here.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function keepLines(lines: (LogFields & { readonly event: string })[]): Logger {
  const keep = (event: string, fields: LogFields = {}) => void lines.push({ event, ...fields });
  return { debug: keep, info: keep, warn: keep, error: keep, close: () => undefined };
}

/** A wire to the server over a WebSocket; rejects where the gate refuses. */
export function dial(server: Pick<RunningServer, 'port'>, token: string, options: ClientOptions = {}): Promise<DialledWire> {
  const protocols = [WIRE_SUBPROTOCOL, tokenSubprotocol(token)];
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${PATHS.wire}`, protocols, { perMessageDeflate: false, ...options });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(new DialledWire(socket)));
    socket.once('error', reject);
  });
}

export class DialledWire implements Wire {
  readonly socket: WebSocket;
  onClose: ((why: CloseReason) => void) | null = null;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  readonly #early: Uint8Array[] = [];
  /** How it ended. */
  readonly closed: Promise<CloseReason>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      if (!Buffer.isBuffer(data)) throw new Error('a message in pieces');
      if (this.#onFrame === null) this.#early.push(data);
      else this.#onFrame(data);
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        const why = { code, reason: reason.toString() };
        resolve(why);
        this.onClose?.(why);
      });
    });
  }
  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }
  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    for (const frame of handler === null ? [] : this.#early.splice(0)) handler?.(frame);
  }
  send(frame: Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(frame);
  }
  close({ code, reason }: CloseReason): void {
    this.socket.close(code, reason);
  }
}

/** What a client says and hears on a wire, message by message. */
export class Talk {
  readonly heard: HostMessage[] = [];
  readonly wire: Wire;
  #looks: (() => void)[] = [];

  constructor(wire: Wire) {
    this.wire = wire;
    wire.onFrame = (frame) => {
      this.heard.push(parseHostMessage(frame));
      for (const look of [...this.#looks]) look();
    };
  }
  say(message: ClientMessage): void {
    this.wire.send(encodeMessage(message));
  }
  /** Says hello; resolves with the welcome. */
  hello(clientId: ClientId): Promise<Extract<HostMessage, { type: 'welcome' }>> {
    this.say({ type: 'client:hello', protocol: PROTOCOL_VERSION, clientId, kind: 'browser', name: 'tests' });
    return this.next('welcome');
  }
  /** The first message of this type that has been or will be heard. */
  next<T extends HostMessage['type']>(type: T): Promise<Extract<HostMessage, { type: T }>> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.heard.find((message): message is Extract<HostMessage, { type: T }> => message.type === type);
        if (found === undefined) return;
        this.#looks = this.#looks.filter((other) => other !== look);
        resolve(found);
      };
      this.#looks.push(look);
      look();
    });
  }
}
