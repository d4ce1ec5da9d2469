import { heal } from './faults.fixture.ts';
import type { SimMachine } from './machine.fixture.ts';
import type { World } from './world.fixture.ts';

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
      const isRemoving = world.removeFormer();
      why = whyNotAtRest(world) ?? (isRemoving ? 'whom a machine was before is still there' : null);
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
  if (!wasEvil) checkChain(world);
  world.texts?.check(world.members(), wasEvil);
  for (const machine of world.machines) {
    for (const runId of machine.disk.sessions.keys())
      if (world.hosts.get(runId) !== machine) world.promises.checkReplica(machine, runId);
    for (const notice of wasEvil ? [] : [...machine.notices, ...machine.problems]) {
      // Two may have changed the chain at once, each with what the relay had before and after its loss: that is a fork, and is told.
      const isOfChain = notice.startsWith('There are two histories of who belongs');
      if (/another history|two histories|other computers?/i.test(notice) && !(isOfChain && world.wasSetBack))
        world.fail(`${machine.name} tells of a fork: ${notice} (I8)`);
    }
    for (const problem of [...machine.notices, ...machine.problems]) {
      // Until whom it was is removed, and its new card is here.
      if (world.hasLeaving && /Another machine holds it|not-its-host/.test(problem)) continue;
      if ((wasEvil ? /TypeError|ReferenceError/ : /TypeError|ReferenceError|not sent to your other|any more:/).test(problem))
        world.fail(`${machine.name}: ${problem}`);
    }
  }
}

/** What somebody was told is in the chain is in everybody's, or somebody is told that there are two. */
function checkChain(world: World): void {
  const members = world.members();
  const isTold = world.machines.some(({ notices }) => notices.some((notice) => notice.includes('two histories')));
  for (const { by, head } of world.chained) {
    if (isTold || !members.includes(by)) continue;
    const without = members.find(({ life }) => life?.workspace.membership.entries.has(head) === false);
    if (without !== undefined) world.fail(`an entry of the chain that ${by.name} made is not on ${without.name}`);
  }
}
