import type { SimMachine } from './machine.fixture.ts';
import { RelayDisk } from './relay-disk.fixture.ts';
import type { World } from './world.fixture.ts';

/** What happens to machines, lines and the relay. */
export function trouble(world: World, machine: SimMachine): void {
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

/** A relay that shows some machines another state than the rest, or comes back to one for all. */
export function betray(world: World): void {
  const { random, face } = world;
  if (face !== null) {
    // What only the others were shown is lost then.
    world.unite(face.isWhole && world.chance(0.5) ? face.disk : world.relayDisk);
    return;
  }
  const isOld = world.backup !== null && world.chance(0.3);
  const disk = ((isOld ? world.backup : null) ?? world.relayDisk).copy();
  const isWhole = world.chance(0.6);
  if (!isWhole) disk.withhold(random);
  const shownTo = world.machines.filter(() => random() < 0.5);
  world.note(
    `${shownTo.map(({ name }) => name).join(', ')}: shown another relay (${isOld ? 'old' : 'new'}${isWhole ? '' : ', with holes'})`,
  );
  world.showOther({ disk, isWhole, to: new Set(shownTo) });
}

/** Everything works again. */
export function heal(world: World): void {
  world.isEvil = false;
  if (world.face !== null) world.unite(world.relayDisk);
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
