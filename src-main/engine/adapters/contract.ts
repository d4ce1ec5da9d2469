import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PromptContent } from '../../../src-shared/events.ts';
import { InputId } from '../../../src-shared/ids.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { SessionSpec } from '../../../src-shared/session.ts';
import type { Adapter, AdapterFactory } from './adapter.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

export interface AdapterContract {
  /** A fresh factory for one test, and what releases it. */
  readonly open: () => Promise<{ readonly factory: AdapterFactory; readonly dispose: () => Promise<void> }>;
  readonly spec: () => SessionSpec;
  /** Environment of the children; default: this process's own. */
  readonly env?: () => Record<string, string>;
  /** Makes the child say something (output, events or live text). */
  readonly produce: (adapter: Adapter) => void | Promise<void>;
  /** Makes the child end by itself right after it has said something that ends with `lastWords`; null: it has no child. */
  readonly end: { readonly run: (adapter: Adapter) => void | Promise<void>; readonly lastWords: string } | null;
  /** A prompt that is answered soon, and one whose turn lasts until it is interrupted; null: takes no prompts. */
  readonly prompts: { readonly short: PromptContent; readonly endless: PromptContent } | null;
  /** Requests that this adapter cannot carry out while its child runs. */
  readonly impossible: Readonly<Record<string, (adapter: Adapter) => Promise<unknown>>>;
}

interface Stage {
  readonly host: RecordingHost;
  readonly adapter: Adapter;
}

const GRACE_MS = 2000;

/** Declares the tests that hold an adapter to the promises in adapter.ts. Call it at the top level of a test file. */
export function describeAdapterContract(name: string, contract: AdapterContract): void {
  describe(`adapter contract: ${name}`, () => {
    let stage: Stage;
    let dispose: () => Promise<void>;
    beforeEach(async () => {
      const opened = await contract.open();
      const host = recordingHost(contract.spec(), contract.env === undefined ? {} : { env: contract.env() });
      stage = { host, adapter: opened.factory(host) };
      dispose = opened.dispose;
    });
    afterEach(async () => {
      await stage.adapter.close(GRACE_MS);
      await dispose();
    });
    describeLife(() => stage, contract);
    describeEnd(() => stage, contract);
    if (contract.prompts !== null) describeTurns(() => stage, contract.prompts);
    describeRefusals(() => stage, contract);
  });
}

function describeLife(stage: () => Stage, contract: AdapterContract): void {
  it('has appended that it started when `start` resolves, and nothing before', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    expect(host.log[0]).toMatchObject({ channel: 'system:status', type: 'started' });
    expect(statusEvents(host)).toEqual(['started']);
  });

  it('hands over what its child says', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    const before = host.told.length;
    await contract.produce(adapter);
    await host.until(() => host.told.slice(before).some(({ kind }) => kind !== 'child'));
  });

  it('goes on in the same log when it is started again after its end', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    await adapter.close(GRACE_MS);
    await adapter.start();
    await contract.produce(adapter);
    await adapter.close(GRACE_MS);
    expect(statusEvents(host)).toEqual(['started', 'exited', 'started', 'exited']);
    expect(host.log.map((event) => event.seq)).toEqual(host.log.map((_, index) => index + 1));
  });

  it('does nothing without a child when it is written to, resized, paused, resumed, interrupted or closed', async () => {
    const { host, adapter } = stage();
    adapter.write(Buffer.from('typed too early'));
    adapter.resize(100, 30);
    adapter.pauseOutput();
    adapter.resumeOutput();
    await adapter.interrupt();
    await adapter.close(GRACE_MS);
    expect(host.told).toEqual([]);
    expect(adapter.liveTexts()).toEqual([]);
  });
}

function describeEnd(stage: () => Stage, contract: AdapterContract): void {
  const { end } = contract;
  if (end !== null) {
    it('[pty-2] hands over all output of a child before its exit, and tells the exit once', async () => {
      const { host, adapter } = stage();
      await adapter.start();
      await end.run(adapter);
      await host.until(() => host.toldOf('exited').length > 0);
      const exit = host.told.findIndex(({ kind }) => kind === 'exited');
      const said = JSON.stringify(host.told.slice(0, exit).map(textOf));
      expect(said).toContain(end.lastWords);
      await adapter.close(GRACE_MS);
      await quiet();
      expect(host.told.slice(exit + 1).filter(({ kind }) => kind !== 'child')).toEqual([]);
    });

    it('starts again after its child has ended by itself', async () => {
      const { host, adapter } = stage();
      await adapter.start();
      await end.run(adapter);
      await host.until(() => host.toldOf('exited').length === 1);
      expect(livingChildren(host)).toEqual([]);
      await adapter.start();
      expect(host.toldOf('exited')).toHaveLength(1);
    });
  }

  it('leaves no child alive after `close`, and says nothing more', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    await contract.produce(adapter);
    await Promise.all([adapter.close(GRACE_MS), adapter.close(GRACE_MS)]);
    await adapter.close(GRACE_MS);
    expect(livingChildren(host)).toEqual([]);
    expect(host.toldOf('exited')).toHaveLength(1);
    const children = host.toldOf('child');
    if (children.length > 0) expect(children.at(-1)).toEqual({ kind: 'child', pid: null });
    const told = host.told.length;
    adapter.write(Buffer.from('typed too late'));
    await quiet();
    expect(host.told).toHaveLength(told);
  });

  it('leaves no child alive when it is closed while it starts', async () => {
    const { host, adapter } = stage();
    const starting = adapter.start().catch((error: unknown) => error);
    await adapter.close(GRACE_MS);
    await starting;
    await quiet();
    expect(livingChildren(host)).toEqual([]);
    expect(statusEvents(host).filter((type) => type === 'exited')).toHaveLength(
      statusEvents(host).filter((type) => type === 'started').length,
    );
  });
}

function describeTurns(stage: () => Stage, prompts: NonNullable<AdapterContract['prompts']>): void {
  const ended = (host: RecordingHost) => host.toldOf('turnEnded').map(({ end }) => [end.inputId, end.outcome]);

  it('[input-7] ends a turn as done, once', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    const inputId = newInputId();
    await adapter.prompt({ inputId, content: prompts.short });
    await host.until(() => ended(host).length > 0);
    await adapter.interrupt();
    await adapter.close(GRACE_MS);
    expect(ended(host)).toEqual([[inputId, 'done']]);
  });

  it('[input-7] [input-8] ends a turn as interrupted, once, and takes the next prompt', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    const first = newInputId();
    await adapter.prompt({ inputId: first, content: prompts.endless });
    await adapter.interrupt();
    await host.until(() => ended(host).length > 0);
    const second = newInputId();
    await adapter.prompt({ inputId: second, content: prompts.short });
    await host.until(() => ended(host).length > 1);
    expect(ended(host)).toEqual([
      [first, 'interrupted'],
      [second, 'done'],
    ]);
  });

  it('[input-7] ends a turn, once, when it is closed in its middle, and before the exit', async () => {
    const { host, adapter } = stage();
    await adapter.start();
    const inputId = newInputId();
    await adapter.prompt({ inputId, content: prompts.endless });
    await adapter.close(GRACE_MS);
    const outcomes = ended(host);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]?.[0]).toBe(inputId);
    expect(outcomes[0]?.[1]).not.toBe('done');
    const kinds = host.told.map(({ kind }) => kind);
    expect(kinds.indexOf('turnEnded')).toBeLessThan(kinds.indexOf('exited'));
    expect(adapter.liveTexts()).toEqual([]);
  });

  it('refuses a prompt without a child', async () => {
    const { host, adapter } = stage();
    await expect(adapter.prompt({ inputId: newInputId(), content: prompts.short })).rejects.toThrow(RefusalError);
    expect(host.told).toEqual([]);
  });
}

function describeRefusals(stage: () => Stage, contract: AdapterContract): void {
  for (const [what, request] of Object.entries(contract.impossible)) {
    it(`refuses ${what}, and changes nothing`, async () => {
      const { host, adapter } = stage();
      await adapter.start();
      const state = host.state;
      const statuses = statusEvents(host);
      await expect(request(adapter)).rejects.toThrow(RefusalError);
      expect(host.state).toBe(state);
      expect(statusEvents(host)).toEqual(statuses);
    });
  }
}

function newInputId(): InputId {
  return InputId.parse(crypto.randomUUID());
}

/** A few turns of the event loop: whatever is already under way in this process comes out. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

function statusEvents(host: RecordingHost): readonly string[] {
  return host.log.flatMap(({ channel, type }) =>
    channel === 'system:status' && (type === 'started' || type === 'exited') ? [type] : [],
  );
}

/** What was told, with its bytes readable. */
function textOf(told: RecordingHost['told'][number]): unknown {
  return told.kind === 'output' ? Buffer.from(told.bytes).toString('utf8') : told;
}

function livingChildren(host: RecordingHost): readonly number[] {
  return host.toldOf('child').flatMap(({ pid }) => (pid !== null && isAlive(pid) ? [pid] : []));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
