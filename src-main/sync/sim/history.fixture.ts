import type { RunId } from '../../../src-shared/ids.ts';
import type { SessionCommand } from '../../engine/session-commands.ts';
import { betray, trouble } from './faults.fixture.ts';
import type { SimMachine } from './machine.fixture.ts';
import type { World } from './world.fixture.ts';

/** One thing that happens: mostly the next step of what is under way. */
export function act(world: World): void {
  const { random } = world;
  const machine = world.pick(world.machines);
  if (machine === undefined) return;
  if (world.isTwoFaced && world.chance(0.02)) betray(world);
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
  } else if (world.isTwoFaced && world.chance(0.05)) changeChain(world, machine);
  else if (world.hasLeaving && world.chance(0.05)) comeAndGo(world, machine);
  else if (session === undefined || (chance < 0.05 && life.engine.sessions.size < 4)) world.create(machine);
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

function comeAndGo(world: World, machine: SimMachine): void {
  const by = world.pick(world.machines);
  if (world.chance(0.5)) world.removeFormer();
  else if (by !== undefined && by !== machine) world.rejoin(machine, by);
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
