import * as Y from 'yjs';
import type { RunId } from '../../../src-shared/ids.ts';
import { liveMember } from '../../../src-shared/membership.ts';
import {
  readText,
  SESSION_TEXTS,
  type SessionText,
  sessionDocument,
  sessionOfDocument,
  WORKSPACE_DOCUMENT,
} from '../../../src-shared/workspace-documents.ts';
import type { DiskDocument } from '../../store/memory-disk.fixture.ts';
import type { SimMachine } from './machine.fixture.ts';
import type { World } from './world.fixture.ts';

/** Each character is typed once in a history: so it is known of each where it has to be, and how often. */
const FIRST_CHARACTER = 0x4e00;
const MAX_CHARACTERS = 20_000;

interface Typed {
  readonly runId: RunId;
  readonly by: SimMachine;
  /** Whoever typed it was told that it is kept. */
  isKept: boolean;
  /** Who took it away again; true: was told that this is kept. */
  readonly takenBy: Map<SimMachine, boolean>;
}

interface Said {
  readonly title: string;
  readonly by: SimMachine;
  isKept: boolean;
}

/** What users write into shared documents on all machines, and what has to come of it. */
export class Texts {
  readonly #world: World;
  readonly #typed = new Map<string, Typed>();
  /** What a client has seen earlier: it may write on the ground of that. */
  readonly #seen = new Map<string, string>();
  readonly #titles = new Map<RunId, Said[]>();
  /** What updates come to, by the list of them. */
  readonly #read = new WeakMap<readonly Uint8Array[], Y.Doc>();

  constructor(world: World) {
    this.#world = world;
  }

  // ——— what users do ———

  use(machine: SimMachine, runId: RunId): void {
    const chance = this.#world.random();
    if (chance < 0.75) this.#write(machine, runId, chance < 0.5 ? 'draft' : 'notes');
    else if (chance < 0.9) this.#name(machine, runId);
    else this.#follow(machine, runId);
  }

  #write(machine: SimMachine, runId: RunId, text: SessionText): void {
    const { random } = this.#world;
    const documents = machine.life?.documents;
    if (documents === undefined || documents === null) return;
    const [isTaking, isOld, at, length] = [random() < 0.3, random() < 0.4, random(), random()];
    const { life } = machine;
    const place = `${machine.name} ${runId} ${text}`;
    documents.text(runId, text).then(
      ({ text: now }) => {
        if (machine.life !== life || !machine.disk.sessions.has(runId)) return;
        const base = (isOld ? this.#seen.get(place) : undefined) ?? now;
        this.#seen.set(place, now);
        const from = Math.floor(at * (base.length + 1));
        const taken = isTaking ? base.slice(from, from + Math.ceil(length * 6)) : '';
        const typed = isTaking && length < 0.6 ? '' : this.#type(machine, runId, Math.ceil((length * 10) ** 2));
        this.#world.note(`${machine.name} writes ${typed.length} and takes ${taken.length} characters (${text} of ${runId})`);
        for (const character of taken) this.#typed.get(character)?.takenBy.set(machine, false);
        const next = base.slice(0, from) + typed + base.slice(from + taken.length);
        documents.setText(runId, text, next, base).then(
          () => {
            if (machine.life !== life) return;
            for (const character of typed) this.#kept(character);
            for (const character of taken) this.#typed.get(character)?.takenBy.set(machine, true);
          },
          () => {},
        );
      },
      () => {},
    );
  }

  #type(by: SimMachine, runId: RunId, count: number): string {
    let text = '';
    for (let index = 0; index < count && this.#typed.size < MAX_CHARACTERS; index++) {
      const character = String.fromCharCode(FIRST_CHARACTER + this.#typed.size);
      this.#typed.set(character, { runId, by, isKept: false, takenBy: new Map() });
      text += character;
    }
    return text;
  }

  #kept(character: string): void {
    const typed = this.#typed.get(character);
    if (typed !== undefined) typed.isKept = true;
  }

  #name(machine: SimMachine, runId: RunId): void {
    const said = this.#titles.get(runId) ?? [];
    this.#titles.set(runId, said);
    const one: Said = { title: `${machine.name} ${said.length}`, by: machine, isKept: false };
    said.push(one);
    const { life } = machine;
    life?.documents?.setTitle(runId, one.title).then(
      () => {
        if (machine.life === life) one.isKept = true;
      },
      () => {},
    );
  }

  #follow(machine: SimMachine, runId: RunId): void {
    const { random } = this.#world;
    const whom = this.#world.pick(this.#world.machines)?.signer.machine;
    const [isOwn, follows] = [random() < 0.3, random() < 0.5];
    const documents = machine.life?.documents;
    if (whom === undefined || documents === undefined || documents === null) return;
    const done = isOwn ? documents.setFollowsOthers(machine.signer.machine, follows) : documents.setFollow(runId, whom, follows);
    done.catch(() => {});
  }

  /** Runs a power cut. What its disk had not fsynced its users have to do again; the others may have it all the same. */
  cut(machine: SimMachine, powerCut: () => void): void {
    const before = new Map(machine.disk.documents);
    powerCut();
    for (const [name, document] of before) {
      const left = machine.disk.documents.get(name);
      if (left?.updates === document.updates) continue;
      const had = new Set(this.#charactersOf(document));
      const has = new Set(left === undefined ? [] : this.#charactersOf(left));
      for (const character of had) {
        const typed = this.#typed.get(character);
        if (!has.has(character) && typed?.by === machine) typed.isKept = false;
      }
      for (const character of has) {
        const typed = this.#typed.get(character);
        if (!had.has(character) && typed?.takenBy.has(machine) === true) typed.takenBy.set(machine, false);
      }
    }
    for (const said of this.#titles.values()) for (const one of said) if (one.by === machine) one.isKept = false;
  }

  // ——— what has to come of it ———

  /** [doc-6] Null: every member has the same documents, and nothing waits. */
  whyNotEqual(members: readonly SimMachine[]): string | null {
    for (const machine of members) {
      const why = this.#whyUnsent(machine) ?? whyStrayDocument(machine);
      if (why !== null) return why;
    }
    const names = new Set(members.flatMap(({ disk }) => [...disk.documents.keys()]));
    for (const name of names) {
      // Who may not write has what it wrote for itself.
      const sharing = members.filter(({ disk }) => disk.documents.get(name)?.row.unsent !== true);
      const shown = new Set(sharing.map((machine) => this.#shown(machine, name)));
      if (shown.size > 1) return `${sharing.map(({ name: who }) => who).join(', ')} have different documents ${name}`;
    }
    return null;
  }

  #whyUnsent(machine: SimMachine): string | null {
    if (!mayWrite(machine)) return null;
    const waiting = [...machine.disk.documents.values()].find(({ row }) => row.unsent);
    return waiting === undefined ? null : `the document ${waiting.row.name} of ${machine.name} is not sent`;
  }

  /** What is shown of a document to people. */
  #shown(machine: SimMachine, name: string): string {
    const document = machine.disk.documents.get(name);
    const doc = document === undefined ? new Y.Doc() : this.#docOf(document);
    if (name !== WORKSPACE_DOCUMENT) return JSON.stringify(SESSION_TEXTS.map((text) => readText(doc, text)));
    const maps = ['titles', 'follows'].map((map) => Object.entries(doc.getMap(map).toJSON()).sort());
    return JSON.stringify(maps);
  }

  #docOf({ updates }: DiskDocument): Y.Doc {
    let doc = this.#read.get(updates);
    if (doc === undefined) {
      doc = new Y.Doc();
      for (const update of updates) Y.applyUpdate(doc, update);
      this.#read.set(updates, doc);
    }
    return doc;
  }

  #charactersOf(document: DiskDocument): string {
    const doc = this.#docOf(document);
    return SESSION_TEXTS.map((text) => readText(doc, text)).join('');
  }

  /** [doc-6] Afterwards, at rest: nothing that was typed is lost or doubled, and what was taken away does not come back. */
  check(members: readonly SimMachine[], wasEvil: boolean): void {
    for (const machine of this.#world.machines)
      for (const document of machine.disk.documents.values()) this.#checkTyped(machine, document);
    if (wasEvil) return;
    for (const machine of members) {
      for (const [character, typed] of this.#typed) this.#checkCharacter(machine, character, typed);
      for (const [runId, said] of this.#titles) this.#checkTitle(machine, runId, said);
    }
  }

  #checkTyped({ name }: SimMachine, document: DiskDocument): void {
    const runId = sessionOfDocument(document.row.name);
    if (runId === null) return;
    const text = this.#charactersOf(document);
    if (new Set(text).size !== text.length) this.#world.fail(`${name} shows something twice that was typed once`);
    if ([...text].some((character) => this.#typed.get(character)?.runId !== runId))
      this.#world.fail(`${name} shows what nobody typed there`);
  }

  #checkCharacter({ disk, name }: SimMachine, character: string, { runId, by, isKept, takenBy }: Typed): void {
    const document = disk.documents.get(sessionDocument(runId));
    if (document === undefined && !disk.sessions.has(runId)) return;
    const isThere = document !== undefined && this.#charactersOf(document).includes(character);
    const world = this.#world;
    const takers = [...takenBy].filter(([taker]) => this.#isSharing(taker, runId));
    if (!isThere && isKept && takenBy.size === 0 && this.#isSharing(by, runId))
      world.fail(`what ${by.name} typed and kept is not on ${name} (${character} of ${runId})`);
    if (isThere && takers.some(([, isSure]) => isSure)) world.fail(`${name} shows again what was taken away`);
  }

  /** It is a member, and everything that it wrote there is at the relay. */
  #isSharing(machine: SimMachine, runId: RunId): boolean {
    const row = machine.disk.documents.get(sessionDocument(runId))?.row;
    return this.#world.members().includes(machine) && row?.unsent !== true;
  }

  #checkTitle(machine: SimMachine, runId: RunId, said: readonly Said[]): void {
    const title = machine.life?.documents?.title(runId);
    const last = said.at(-1);
    if (!machine.disk.sessions.has(runId) || last === undefined) return;
    if (title !== undefined && !said.some((one) => one.title === title))
      this.#world.fail(`${machine.name} shows a title of nobody`);
    const isOfOne = said.every(({ by }) => by === last.by) && last.isKept && this.#world.members().includes(last.by);
    const isSent = last.by.disk.documents.get(WORKSPACE_DOCUMENT)?.row.unsent === false;
    if (isOfOne && isSent && title !== last.title)
      this.#world.fail(`a title that ${last.by.name} gave is not on ${machine.name}`);
  }
}

function mayWrite({ life, signer }: SimMachine): boolean {
  const member = life === null ? null : liveMember(life.workspace.membership, signer.machine);
  return member !== null && member.rights !== 'view';
}

/** Of sessions that are gone nothing is left. */
function whyStrayDocument({ disk, name }: SimMachine): string | null {
  for (const document of disk.documents.keys()) {
    const runId = sessionOfDocument(document);
    if (runId !== null && !disk.sessions.has(runId)) return `${name} keeps the document of a session that it does not have`;
  }
  return null;
}
