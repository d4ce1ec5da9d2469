import { execFileSync } from 'node:child_process';
import { MachineGround } from './machines.fixture.ts';

/** Of the addresses that are kept for benchmarks (RFC 2544): nobody's network has them. */
const NET = '198.18.77';
/** Where every machine finds what listens here: the near end of each cable has it. */
export const HERE = `${NET}.1`;

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** Why machines cannot have networks of their own here; null where they can. */
export function whyNoCables(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  const probe = `baton-${process.pid}-probe`;
  try {
    ip('netns', 'add', probe);
  } catch (error) {
    return `ip netns add: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
  ip('netns', 'del', probe);
  return null;
}

/** A network that holds one machine, and the cable from there to here: a virtual Ethernet pair. */
export class Cable {
  readonly name: string;
  readonly #near: string;

  constructor(number: number) {
    this.name = `baton-${process.pid}-${number}`;
    this.#near = `bt${process.pid % 1e6}n${number}`;
    const far = `bt${process.pid % 1e6}f${number}`;
    const there = `${NET}.${number + 2}`;
    ip('netns', 'add', this.name);
    try {
      ip('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', far);
      ip('link', 'set', far, 'netns', this.name);
      ip('addr', 'add', HERE, 'peer', there, 'dev', this.#near);
      ip('link', 'set', this.#near, 'up');
      ip('-n', this.name, 'addr', 'add', there, 'peer', HERE, 'dev', far);
      ip('-n', this.name, 'link', 'set', far, 'up');
      ip('-n', this.name, 'link', 'set', 'lo', 'up');
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** What is on its way is lost, and nobody is told. */
  pull(): void {
    ip('link', 'set', this.#near, 'down');
  }

  plug(): void {
    ip('link', 'set', this.#near, 'up');
  }

  /** The pair goes with its end in the namespace; at once, whatever still holds that. */
  remove(): void {
    for (const args of [
      ['link', 'del', this.#near],
      ['netns', 'del', this.name],
    ]) {
      try {
        ip(...args);
      } catch {
        // It was not made, or is gone with the other.
      }
    }
  }
}

/** A machine at the end of its cable. */
export class CabledMachine extends MachineGround {
  readonly cable: Cable;
  protected override readonly launcher: readonly string[];

  constructor(cable: Cable) {
    super();
    this.cable = cable;
    this.launcher = ['ip', 'netns', 'exec', cable.name];
  }
}
