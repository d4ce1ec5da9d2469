import { RelayProcess } from '../relay/relay.fixture.ts';
import { TestLine } from '../sync/line.fixture.ts';
import { MachineGround } from './machines.fixture.ts';

/** One line of `log --json`. */
export interface LoggedEvent {
  readonly runId: string;
  readonly seq: number;
  readonly epoch: number;
  readonly ts: number;
  readonly channel: string;
  readonly type: string;
  readonly payload: unknown;
}

interface ListedSession {
  readonly runId: string;
  readonly title: string;
  readonly status: string;
  readonly machine: string;
  readonly lastSeq: number;
}

/** A machine with a line of its own to the relay. */
export class LinedMachine extends MachineGround {
  readonly line: TestLine;

  constructor(relay: RelayProcess, env: Record<string, string> = {}) {
    super(env);
    this.line = new TestLine(() => relay.port);
  }

  async sessions(): Promise<readonly ListedSession[]> {
    return ((await this.json(['list'])) as { sessions: ListedSession[] }).sessions;
  }

  async log(runId: string): Promise<readonly LoggedEvent[]> {
    const text = await this.ok(['log', runId, '--json']);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LoggedEvent);
  }

  /** What a terminal has put out. */
  async output(runId: string): Promise<string> {
    const events = await this.log(runId);
    return events
      .flatMap(({ channel, payload }) => (channel === 'pty:stdout' && typeof payload === 'string' ? [payload] : []))
      .join('');
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    await this.line.close();
  }
}

/** Asks until it is so. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, patienceMs = 60_000): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${patienceMs / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Machines in one workspace, paired as a user pairs them, at a relay that is a process. */
export class WorkspaceGround {
  readonly relay = new RelayProcess();
  readonly machines: LinedMachine[] = [];

  /** `env`: of some of them, by name. */
  static async start(names: readonly string[], env: Record<string, Record<string, string>> = {}): Promise<WorkspaceGround> {
    const ground = new WorkspaceGround();
    await ground.relay.start();
    for (const name of names) {
      const machine = new LinedMachine(ground.relay, env[name]);
      ground.machines.push(machine);
      await machine.begin(name, { 'relay.url': await machine.line.listen() });
    }
    const [first, ...others] = ground.machines;
    for (const other of others) await first?.lets(other);
    return ground;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.dispose()));
    await this.relay.dispose();
  }
}
