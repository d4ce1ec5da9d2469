import * as encoding from 'lib0/encoding';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import { FUZZ_WITHIN_MS, fuzz, mutatedBytes } from '../../../src-shared/sim/fuzz.ts';
import { readText, sessionDocument, setTitle, WORKSPACE_DOCUMENT, writeText } from '../../../src-shared/workspace-documents.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import { seal } from '../sync-context.ts';
import { DocumentCheck, DocumentChecks } from './document-checks.ts';
import { encodePieces } from './document-payload.ts';
import { Desks, WITHIN } from './document-sync.fixture.ts';

const NAME = sessionDocument(runIdOf(1));
const REMOTE = 'remote';
/** What takes too long does so by the processor time that it gets. */
const SLOWLY_MS = 120_000;

let checks: DocumentChecks;
const problems: string[] = [];

function checkOf(name: string, doc: Y.Doc): DocumentCheck {
  problems.length = 0;
  checks = new DocumentChecks(SYSTEM_CLOCK, (message) => problems.push(message));
  return new DocumentCheck(checks, name, doc, (origin) => origin === REMOTE);
}

function updateOf(change: (doc: Y.Doc) => void, from?: Y.Doc): Uint8Array {
  const doc = new Y.Doc();
  if (from !== undefined) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from));
  const before = Y.encodeStateVector(doc);
  change(doc);
  return Y.encodeStateAsUpdate(doc, before);
}

/** What somebody writes who does not use Yjs: as many structs as there are in `each`, of one client, and nothing taken back. */
function written(each: readonly ((encoder: encoding.Encoder) => void)[], client = 5): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [1, each.length, client, 0]) encoding.writeVarUint(encoder, number);
  for (const write of each) write(encoder);
  encoding.writeVarUint(encoder, 0);
  return encoding.toUint8Array(encoder);
}

/** A struct in the root type `root`, without neighbours; what is in it follows. */
const inRoot = (encoder: encoding.Encoder, content: number, root: string) => {
  encoding.writeUint8(encoder, content);
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarString(encoder, root);
};
const collected = (length: number) => (encoder: encoding.Encoder) => {
  encoding.writeUint8(encoder, 0);
  encoding.writeVarUint(encoder, length);
};

/** Small to say, and far too much to have. */
const BOMBS: Record<string, () => Uint8Array> = {
  'tens of thousands of types, each with a name of its own': () =>
    written(
      Array.from({ length: 60_000 }, (_, at) => (encoder) => {
        inRoot(encoder, 4, `r${at}`);
        encoding.writeVarString(encoder, 'x');
      }),
    ),
  'values so deep that nobody could write them down again': () =>
    written([
      (encoder) => {
        inRoot(encoder, 5, 'later');
        encoding.writeVarString(encoder, '['.repeat(400_000) + ']'.repeat(400_000));
      },
    ]),
  'values so deep that nobody can read them': () =>
    written([
      (encoder) => {
        inRoot(encoder, 8, 'later');
        encoding.writeVarUint(encoder, 1);
        for (let depth = 0; depth < 400_000; depth++) for (const byte of [117, 1]) encoding.writeUint8(encoder, byte);
        encoding.writeUint8(encoder, 126);
      },
    ]),
  'clocks beyond 2^53': () => written([collected(2 ** 53 - 1), collected(2 ** 53 - 1)]),
  'thousands of documents': () =>
    written(
      Array.from({ length: 20_000 }, (_, at) => (encoder) => {
        inRoot(encoder, 9, 'later');
        encoding.writeVarString(encoder, `${at}`);
        for (const byte of [118, 0]) encoding.writeUint8(encoder, byte);
      }),
    ),
  'more structs than bytes': () => Uint8Array.from([1, 255, 255, 255, 255, 255, 255, 7, 5, 0]),
  'everything taken back, of all times': () => Uint8Array.from([0, 1, 5, 1, 0, 255, 255, 255, 255, 255, 255, 7]),
};

/** Many characters, and the order to take all of them back, given again and again: short to say, long to carry out. */
function bomb(): Uint8Array {
  const [characters, times] = [20_000, 60_000];
  const encoder = encoding.createEncoder();
  for (const number of [1, characters, 1, 0]) encoding.writeVarUint(encoder, number);
  for (let n = 0; n < characters; n++) {
    // A string without neighbours in the root type `draft`.
    encoding.writeUint8(encoder, 4);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, 'draft');
    encoding.writeVarString(encoder, 'x');
  }
  for (const number of [1, 1, times]) encoding.writeVarUint(encoder, number);
  for (let n = 0; n < times; n++) for (const number of [0, characters]) encoding.writeVarUint(encoder, number);
  return encoding.toUint8Array(encoder);
}

describe('[doc-9] an update of another machine', () => {
  afterEach(() => checks.stop());

  it('that is fine passes, with those before it', async () => {
    const doc = new Y.Doc();
    writeText(doc, 'draft', 'hello', null);
    const check = checkOf(NAME, doc);
    const first = updateOf((copy) => writeText(copy, 'draft', 'hello world', 'hello'), doc);
    writeText(doc, 'notes', 'here', null);
    const second = updateOf((copy) => writeText(copy, 'notes', 'there', 'here'), doc);
    const checked = await check.check([first, second]);
    expect(checked).toMatchObject({ passed: 2, why: null });
    if (checked.accepted !== null) Y.applyUpdate(doc, checked.accepted, REMOTE);
    expect([readText(doc, 'draft'), readText(doc, 'notes')]).toEqual(['hello world', 'there']);
    expect(checked.reached).toHaveLength(2);
  });

  it('that may not be is refused, whatever is wrong with it, and those before it are not', async () => {
    const doc = new Y.Doc();
    const check = checkOf(NAME, doc);
    const good = updateOf((copy) => writeText(copy, 'draft', 'good', null));
    const bad: Record<string, Uint8Array> = {
      'another format': Y.encodeStateAsUpdateV2(doc, Uint8Array.of(0)).slice(),
      'another format, with something in it': Y.convertUpdateFormatV1ToV2(good),
      'more behind its end': Uint8Array.from([...good, 1]),
      'cut off': good.slice(0, -1),
      nothing: new Uint8Array(),
      'no text': updateOf((copy) => copy.getText('draft').insertEmbed(0, { image: 'x' })),
      'too long': updateOf((copy) => copy.getText('notes').insert(0, 'x'.repeat(4_000_001))),
      'without what it builds on': updateOf((copy) => {
        copy.getText('draft').insert(0, 'x'.repeat(2_000_000));
        copy.getText('draft').insert(5, 'y');
      }).slice(0, 40),
    };
    for (const [what, update] of Object.entries(bad)) {
      const checked = await check.check([good, update, good]);
      expect({ what, passed: checked.passed, isRefused: checked.why !== null }).toEqual({ what, passed: 1, isRefused: true });
    }
    expect(Y.encodeStateVector(doc)).toEqual(Uint8Array.of(0));
  });

  it.each(Object.entries(BOMBS))('is refused in a moment, and changes nothing: %s', async (_, bombOf) => {
    const doc = new Y.Doc();
    writeText(doc, 'draft', 'mine', null);
    const check = checkOf(NAME, doc);
    const before = Y.encodeStateVector(doc);
    const checked = await check.check([bombOf()]);
    expect(checked).toMatchObject({ passed: 0, accepted: null });
    // It is known for what it is, not given up after a time.
    expect(checked.why).not.toBe('it takes too long');
    expect(Y.encodeStateVector(doc)).toEqual(before);
    expect(problems).toEqual([]);
  });

  it('to the titles holds titles', async () => {
    const check = checkOf(WORKSPACE_DOCUMENT, new Y.Doc());
    const set = (session: number, title: unknown) => updateOf((copy) => copy.getMap('titles').set(runIdOf(session), title));
    expect((await check.check([updateOf((copy) => setTitle(copy, runIdOf(1), 'fine')), set(2, null)])).why).toBeNull();
    for (const [index, title] of [5, 'x'.repeat(257), { deep: [] }, new Y.Map()].entries()) {
      expect((await check.check([set(3 + index, title)])).why).toMatch(/title/);
    }
    const unknown = updateOf((copy) => copy.getMap('of a later version').set('a', { b: 1 }));
    expect((await check.check([unknown])).why).toBeNull();
  });

  it(
    'that takes too long is given up, and the loop does not wait for it',
    async () => {
      const doc = new Y.Doc();
      writeText(doc, 'draft', 'mine', null);
      const check = checkOf(NAME, doc);
      let turns = 0;
      const look = setInterval(() => {
        turns += 1;
      }, 5);
      const checked = await check.check([bomb()]);
      clearInterval(look);
      expect(checked).toMatchObject({ passed: 0, why: 'it takes too long' });
      expect(turns).toBeGreaterThan(20);
      const good = updateOf((copy) => writeText(copy, 'draft', 'mine and yours', 'mine'), doc);
      expect(await check.check([good])).toMatchObject({ passed: 1, why: null });
      expect(problems).toEqual([]);
    },
    SLOWLY_MS,
  );

  it(
    'that was mutated is either refused, or leaves a document that can be read and written',
    async () => {
      const doc = new Y.Doc();
      writeText(doc, 'draft', 'a draft of some length, and 😀', null);
      writeText(doc, 'notes', 'notes', null);
      const check = checkOf(NAME, doc);
      const updates = [
        updateOf((copy) => writeText(copy, 'draft', 'a draft of some more length', null), doc),
        updateOf((copy) => copy.getText('notes').delete(1, 3), doc),
        Y.encodeStateAsUpdate(doc),
      ];
      await fuzz(1_000, async (chance) => {
        const before = Y.encodeStateVector(doc);
        const { accepted, why } = await check.check([mutatedBytes(chance.pick(updates), chance)]);
        if (why === null && accepted !== null) Y.applyUpdate(doc, accepted, REMOTE);
        if (why !== null) expect(Y.encodeStateVector(doc)).toEqual(before);
        expect(readText(doc, 'draft')).toHaveLength(doc.getText('draft').length);
      });
      writeText(doc, 'draft', 'still a draft', null);
      const copy = new Y.Doc();
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
      expect(readText(copy, 'draft')).toBe('still a draft');
    },
    FUZZ_WITHIN_MS,
  );
});

it(
  '[doc-9] a bad update of a member is reported and skipped; what comes behind it is taken',
  async () => {
    const desks = await Desks.start(2, 1);
    try {
      const [a, b] = [desks.at(0), desks.at(1)];
      await a.write('mine');
      await a.synced();
      const before = await a.state(NAME);
      const { machine } = b;
      const stream = machine.keyring.streamName('document', NAME);
      let counter = 0;
      let previousHash = NO_BATCH_HASH;
      const say = async (payload: Uint8Array) => {
        counter += 1;
        const batch = seal(machine, { kind: 'document', stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash }, payload);
        await machine.link.ask({ type: 'batch', frame: batch.frame, release: null });
        previousHash = batch.hash;
      };
      const [long, embed, garbage] = [bomb(), updateOf((copy) => copy.getText('draft').insertEmbed(0, {})), Uint8Array.of(1, 2)];
      for (const update of [long, embed, garbage]) for (const piece of encodePieces('update', update)) await say(piece);
      await say(Uint8Array.of(99));
      await vi.waitFor(() => expect(a.machine.problems).toHaveLength(4), { ...WITHIN, timeout: SLOWLY_MS });
      expect(await a.state(NAME)).toBe(before);
      const [good] = encodePieces(
        'update',
        updateOf((copy) => writeText(copy, 'notes', 'and yours', null)),
      );
      if (good !== undefined) await say(good);
      await vi.waitFor(async () => expect((await a.documents.text(runIdOf(1), 'notes')).text).toBe('and yours'), WITHIN);
      expect(await a.draft()).toBe('mine');
      expect(a.machine.problems.join('\n')).toMatch(/takes too long/);
    } finally {
      await desks.dispose();
    }
  },
  2 * SLOWLY_MS,
);
