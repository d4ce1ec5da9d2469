import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Y from 'yjs';
import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { RunId } from '../../src-shared/ids.ts';
import type { Rights } from '../../src-shared/machines.ts';
import { DEFAULT_SETTINGS } from '../../src-shared/settings.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import { sessionDocument, WORKSPACE_DOCUMENT } from '../../src-shared/workspace-documents.ts';
import { type Ground, ground } from '../engine/engine.fixture.ts';
import type { Logger } from '../logger.ts';
import { RemoteDriving } from '../machines/remote-driving.ts';
import { RelayClient } from '../relay/relay.fixture.ts';
import { Relay } from '../relay/relay.ts';
import { openSqliteStorage } from '../relay/storage/sqlite.ts';
import { DocumentSync } from './documents/document-sync.ts';
import { replication } from './logs/replication.ts';
import { PassCounter } from './membership/pass-counter.ts';
import { Workspace } from './membership/workspace.ts';
import type { SyncPart } from './sync-context.ts';

/** A machine as the product puts it together, in this process. */
export class WholeMachine {
  readonly here: Ground;
  readonly workspace: Workspace;
  /** Failures that nobody meant: bugs. */
  readonly bugs: string[] = [];
  problems = 0;
  readonly #parts: SyncPart[];

  private constructor(here: Ground, workspace: Workspace, parts: SyncPart[]) {
    this.here = here;
    this.workspace = workspace;
    this.#parts = parts;
  }

  static async start(machine: TestMachine, here: Ground, connect: () => Promise<Wire>): Promise<WholeMachine> {
    let whole: WholeMachine | null = null;
    const onProblem = (message: string, error?: unknown) => whole?.look(message, error);
    const workspace = new Workspace({
      signer: machine,
      chain: machine.entries,
      relayKey: null,
      isForked: false,
      connect,
      passCounter: await PassCounter.open(0, 0, async () => {}, onProblem),
      // The chain is of the first seconds of all time: by the usual clock its key would be too old.
      clock: { ...SYSTEM_CLOCK, nowMs: () => Math.floor(performance.now()) },
      keep: async () => {},
      onAlarm: onProblem,
      onProblem,
    });
    const { engine, store, documents } = here;
    const parts: SyncPart[] = [];
    whole = new WholeMachine(here, workspace, parts);
    const about = () => ({ name: 'a machine', version: '0', platform: 'test' });
    const driving = new RemoteDriving({ store, engine: () => engine, settings: () => DEFAULT_SETTINGS, onProblem });
    for (const start of [replication({ engine, store, about, onNotice: onProblem }), driving.start]) {
      parts.push(await start(workspace, () => {}));
    }
    parts.push(new DocumentSync({ context: workspace, documents, sessions: engine }));
    return whole;
  }

  /** Refusals are what is wanted; what the runtime throws at whoever was careless is not. */
  look(message: string, error: unknown): void {
    this.problems++;
    const isBug = error instanceof TypeError || error instanceof ReferenceError || /call stack/.test(String(error));
    if (isBug) this.bugs.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`);
  }

  live(): Promise<void> {
    return new Promise((resolve) => {
      const end = this.workspace.link.onState(() => look());
      const look = () => {
        if (this.workspace.link.state.is !== 'live') return;
        end();
        resolve();
      };
      look();
    });
  }

  /** What nobody else may change: who is a member, the logs that it hosts and how they were folded, what was written here. */
  async state(hosted: readonly RunId[]) {
    const { engine, store, documents } = this.here;
    const logs = await Promise.all(
      hosted.map(async (runId) => {
        const { log, epoch } = engine.session(runId);
        return { runId, epoch, seq: log.published.seq, state: log.published.state, verified: await store.verify(runId) };
      }),
    );
    const names = [WORKSPACE_DOCUMENT, ...hosted.map(sessionDocument)];
    const docs = await Promise.all(
      names.map(async (name) => Buffer.from(Y.encodeStateAsUpdate((await documents.load(name)).doc)).toString('hex')),
    );
    const { head, generation, fork } = this.workspace.membership;
    return { head, generation, fork, hosts: [...engine.hosted.keys()], logs, docs };
  }

  async stop(): Promise<void> {
    for (const part of this.#parts) await part.stop();
    await this.workspace.stop();
  }
}

/** A relay in this process, a whole machine and two others of its workspace whose keys the test has. */
export class HostileGround {
  readonly relay: Relay;
  readonly here: Ground;
  readonly member: TestMachine;
  readonly third: TestMachine;
  readonly #machine: TestMachine;
  readonly #folder: string;
  /** Of the relay. */
  readonly errors: string[] = [];
  #victim: WholeMachine | null = null;

  private constructor(folder: string, here: Ground, [machine, member, third]: readonly TestMachine[]) {
    if (machine === undefined || member === undefined || third === undefined) throw new Error('three machines were asked for');
    this.#folder = folder;
    this.here = here;
    [this.#machine, this.member, this.third] = [machine, member, third];
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: (event) => void this.errors.push(event), close() {} };
    this.relay = new Relay({ storage: openSqliteStorage(join(folder, 'relay.db')), logger });
  }

  /** `between`: what lies between the machine and the relay. `rights`: the member's. */
  static async start(between: (wire: Wire) => Wire = (wire) => wire, rights: Rights = 'start'): Promise<HostileGround> {
    const folder = mkdtempSync(join(tmpdir(), 'baton-hostile-'));
    const hostile = new HostileGround(folder, await ground(), await testWorkspace(rights, 'start'));
    await hostile.enter(between);
    return hostile;
  }

  async enter(between: (wire: Wire) => Wire = (wire) => wire): Promise<void> {
    this.#victim = await WholeMachine.start(this.#machine, this.here, async () => between(this.#wire()));
    await this.#victim.live();
  }

  get victim(): WholeMachine {
    if (this.#victim === null) throw new Error('it is not there');
    return this.#victim;
  }

  #wire(): Wire {
    const [mine, its] = wirePair((deliver) => setImmediate(deliver));
    this.relay.attach(its);
    return mine;
  }

  async connect(machine: TestMachine): Promise<RelayClient> {
    const client = new RelayClient(this.#wire());
    client.isForgetful = true;
    return await client.enter(machine);
  }

  async dispose(): Promise<void> {
    await this.victim.stop();
    await this.here.dispose();
    this.relay.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
