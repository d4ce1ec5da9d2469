import type { RunId } from '../../../src-shared/ids.ts';
import type { SessionCommand } from '../../engine/session-commands.ts';
import type { SimMachine } from './machine.fixture.ts';
import { RelayDisk } from './relay-disk.fixture.ts';
import type { World } from './world.fixture.ts';

/** One thing that happens: mostly the next step of what is under way. */
export function act(world: World): void {
  const { random } = world;
  const machine = world.pick(world.machines);
  if (machine === undefined) return;
  const chance = random();
  if (chance < world.troubles) trouble(world, machine);
  else if (chance < 0.16) use(world, machine);
  else if (chance < 0.17) world.agenda.pass(Math.floor(random() * (world.chance(0.1) ? 60_000 : 2_000)));
  else advance(world);
}

export function advance(world: World): void {
  if (world.agenda.isIdle) world.agenda.passOn(world.chance(0.9) ? 500 : 30_000);
  else world.agenda.step();
}

/** What its user does. */
function use(world: World, machine: SimMachine): void {
  const { random } = world;
  const { life } = machine;
  if (life === null || machine.isAsleep) return;
  const chance = random();
  const session = world.pick(life.engine.sessions.values());
  if (world.texts !== null && session !== undefined && world.chance(0.4)) world.texts.use(machine, session.runId);
  else if (world.hasLongLogs && session !== undefined && world.chance(0.4)) {
    if (!life.watched.has(session.runId)) machine.watch(session.runId);
    world.print(machine, session.runId);
  } else if (session === undefined || (chance < 0.05 && life.engine.sessions.size < 4)) world.create(machine);
  else if (chance < 0.08) {
    // Only one that has ended can be.
    life.engine.delete(session.runId).catch(() => {});
  } else if (chance < 0.15) machine.watch(session.runId);
  else if (chance < 0.25) machine.type(session.runId, new Uint8Array(Math.ceil(random() * 3_000)).fill(97));
  else if (chance < 0.28) {
    if (life.engine.hosted.has(session.runId))
      life.store.compactOutput(session.runId, Math.floor(random() * 5_000)).catch(() => {});
  } else if (chance < 0.3) changeChain(world, machine);
  else {
    // Remote ones are what this is about.
    const remote = world.chance(0.6) ? world.pick(life.engine.remote.all.keys()) : undefined;
    give(world, machine, remote ?? session.runId);
  }
}

function changeChain(world: World, machine: SimMachine): void {
  const whom = world.pick(world.machines) ?? machine;
  const chance = world.random();
  if (chance < 0.4) world.changeChain(machine, 'rotate', whom);
  else if (chance < 0.7) world.changeChain(machine, world.chance(0.5) ? 'type' : 'start', whom);
  else if (chance < 0.8) world.changeChain(machine, 'view', whom);
  else if (whom !== machine) world.changeChain(machine, 'revoke', whom);
}

function give(world: World, machine: SimMachine, runId: RunId): void {
  const { random } = world;
  const again = [...world.sent.values()].filter((it) => it.runId === runId);
  const repeated = again[Math.floor(random() * again.length)];
  if (repeated !== undefined && world.chance(0.15)) {
    world.send(machine, runId, repeated.command);
    return;
  }
  world.send(machine, runId, commandFor(world, machine, runId));
}

function commandFor(world: World, machine: SimMachine, runId: RunId): SessionCommand {
  const inputId = world.inputId();
  const state = machine.life?.engine.sessions.get(runId)?.log.published.state;
  const pending = state?.permissions[0]?.asked.requestId;
  const queued = state?.queue[0]?.inputId;
  const chance = world.random();
  if (chance < 0.2 && pending !== undefined)
    return { kind: 'permission', inputId, requestId: pending, decision: 'allow', reason: null };
  if (chance < 0.25) return { kind: 'interrupt', inputId };
  if (chance < 0.35 && queued !== undefined) return { kind: 'prompt-delete', inputId, target: queued };
  if (chance < 0.37) return { kind: 'close', inputId };
  if (chance < 0.45 && state?.status !== 'running') return { kind: 'restart', inputId };
  const more = world.hasLongLogs ? randomText(world.random) : '';
  const text = chance < 0.6 ? 'may I' : chance < 0.65 ? 'wait for me' : `hello ${inputId}${more}`;
  return { kind: 'prompt', inputId, content: { text, images: [] } };
}

/** Up to some kilobytes that do not become smaller. */
function randomText(random: () => number): string {
  return Array.from({ length: Math.floor(10 ** (3 * random())) }, () => Math.floor(random() * 2 ** 32).toString(36)).join(' ');
}

/** What happens to machines, lines and the relay. */
function trouble(world: World, machine: SimMachine): void {
  const { random } = world;
  const line = world.lines.get(machine);
  const chance = random();
  world.note(`trouble ${chance.toFixed(3)} ${machine.name}`);
  if (chance < 0.25) {
    machine.isAsleep = false;
    machine.start();
    world.startRelay();
  } else if (chance < 0.4) line?.cut();
  else if (chance < 0.48) line?.silent.add(world.chance(0.5) ? 'to-relay' : 'from-relay');
  else if (chance < 0.54) {
    if (!world.apart.delete(machine)) {
      world.apart.add(machine);
      line?.cut();
    }
  } else if (chance < 0.6) machine.isAsleep = !machine.isAsleep;
  else if (chance < 0.66) machine.isDiskFull = !machine.isDiskFull;
  else if (chance < 0.74) world.kill(machine);
  else if (chance < 0.8) world.powerCut(machine);
  else if (chance < 0.92) world.killRelay();
  else if (chance < 0.95) world.isRelayDiskFull = !world.isRelayDiskFull;
  else relayDiskTrouble(world);
}

function relayDiskTrouble(world: World): void {
  if (world.backup === null || world.chance(0.4)) world.backup = world.relayDisk.copy();
  else {
    world.replaceRelayDisk(world.chance(0.5) ? new RelayDisk() : world.backup);
    world.backup = null;
  }
}

/** Everything works again. */
function heal(world: World): void {
  world.isEvil = false;
  world.isRelayDiskFull = false;
  world.apart.clear();
  world.startRelay();
  for (const machine of world.machines) {
    machine.isAsleep = false;
    machine.isDiskFull = false;
    machine.start();
  }
  for (const line of world.lines.values()) if (line.silent.size > 0) line.cut();
}

/** Of virtual time. */
const RESTS_WITHIN_MS = 15 * 60_000;
const SETTLES_WITHIN_MS = 60_000;
const RESTS_WITHIN_STEPS = 60_000;

/** Heals everything and goes on until nothing is left to do. Gives why it does not come to rest. */
export async function rest(world: World, turn: () => Promise<unknown>): Promise<string | null> {
  // After lies nobody has to come to the same; what was taken before they ended is what counts.
  const { isEvil } = world;
  const endMs = world.agenda.nowMs + (isEvil ? SETTLES_WITHIN_MS : RESTS_WITHIN_MS);
  heal(world);
  let why: string | null = null;
  for (let steps = 0; steps < RESTS_WITHIN_STEPS && world.agenda.nowMs < endMs; steps++) {
    if (world.broken !== null) return null;
    if (!world.agenda.isIdle) world.agenda.step();
    else {
      why = whyNotAtRest(world);
      if (why === null) return null;
      // What could not start is started again, by its user.
      for (const machine of world.machines) machine.start();
      world.agenda.passOn(5_000);
    }
    await turn();
  }
  if (isEvil) return null;
  return why ?? 'it never stops doing something';
}

/** By what some other machine knows. */
function isRevoked(world: World, { signer }: SimMachine): boolean {
  return world.members().some(({ life }) => {
    const member = life?.workspace.membership.members.get(signer.machine);
    return member !== undefined && member.revokedHeight !== null;
  });
}

function whyNotAtRest(world: World): string | null {
  for (const machine of world.machines) {
    const { life } = machine;
    if (life === null) return `${machine.name} does not start`;
    const { excluded, link } = life.workspace;
    if (excluded === null && link.state.is === 'refused' && !isRevoked(world, machine)) return `${machine.name} is shut out`;
    if (excluded === null && link.state.is !== 'live' && link.state.is !== 'refused') return `${machine.name} is not connected`;
  }
  const members = world.members();
  const heights = new Set(members.map(({ life }) => life?.workspace.membership.head));
  if (heights.size > 1) return 'the machines have different chains';
  for (const machine of members) {
    const why = whyNotEqual(world, machine, members) ?? whyWaiting(world, machine, members);
    if (why !== null) return why;
  }
  return world.texts?.whyNotEqual(members) ?? null;
}

/** [together-1] Every session that `host` has is on the others as it is there, and no other one of its. */
function whyNotEqual(world: World, host: SimMachine, members: readonly SimMachine[]): string | null {
  for (const [runId, machine] of world.hosts) {
    if (machine !== host) continue;
    const isThere = host.disk.sessions.has(runId);
    const head = host.disk.headOf(runId);
    const published = host.life?.engine.hosted.get(runId)?.log.published.seq;
    if (isThere && published !== head.seq) return `${host.name} has published ${published} of ${head.seq} events`;
    for (const other of members) {
      if (other === host) continue;
      if (other.disk.sessions.has(runId) !== isThere)
        return `a session of ${host.name} is ${isThere ? 'not on' : 'deleted, but on'} ${other.name}`;
      if (!isThere) continue;
      const replica = other.disk.headOf(runId);
      if (replica.seq !== head.seq) return `${other.name} has ${replica.seq} of ${head.seq} events of ${host.name}`;
      if (!replica.isWhole) return `${other.name} lacks the beginning of a log of ${host.name}`;
      if (replica.hash !== head.hash) return `${other.name} has another history of a log of ${host.name}`;
    }
  }
  return null;
}

function whyWaiting(world: World, machine: SimMachine, members: readonly SimMachine[]): string | null {
  const waiting = (machine.life?.outbox.list() ?? []).find(({ runId }) => {
    const host = world.hosts.get(runId);
    return host !== undefined && members.includes(host);
  });
  return waiting === undefined ? null : `a command waits on ${machine.name}`;
}

/** Afterwards, at rest. */
export function check(world: World, wasEvil: boolean): void {
  for (const [runId, host] of world.hosts) {
    const log = host.disk.log(runId);
    if (log.length === 0) continue;
    const seqs = host.disk.log(runId).map(({ seq }) => seq);
    if (new Set(seqs).size !== seqs.length) world.fail('a number was given twice (I1)');
    const text = JSON.stringify(
      log.map(({ channel, type, payload }) => (channel === 'run:prompt' && type === 'queued' ? payload : null)),
    );
    for (const [inputId, { command, outcome }] of world.sent) {
      if (world.sent.get(inputId)?.runId !== runId || command.kind !== 'prompt') continue;
      const times = text.split(`"inputId":"${inputId}"`).length - 1;
      if (times > 1) world.fail(`an input is ${times} times in its log (I3)`);
      if (times === 0 && outcome !== null && !(outcome instanceof Error) && outcome.ok)
        world.fail('an acknowledged input is lost (I3)');
    }
  }
  world.texts?.check(world.members(), wasEvil);
  for (const machine of world.machines) {
    for (const runId of machine.disk.sessions.keys()) if (world.hosts.get(runId) !== machine) world.checkReplica(machine, runId);
    for (const notice of wasEvil ? [] : [...machine.notices, ...machine.problems]) {
      // Two may have changed the chain at once, each with what the relay had before and after its loss: that is a fork, and is told.
      const isOfChain = notice.startsWith('There are two histories of who belongs');
      if (/another history|two histories|other computers?/i.test(notice) && !(isOfChain && world.wasSetBack))
        world.fail(`${machine.name} tells of a fork: ${notice} (I8)`);
    }
    for (const problem of [...machine.notices, ...machine.problems]) {
      if ((wasEvil ? /TypeError|ReferenceError/ : /TypeError|ReferenceError|not sent to your other|any more:/).test(problem))
        world.fail(`${machine.name}: ${problem}`);
    }
  }
}
