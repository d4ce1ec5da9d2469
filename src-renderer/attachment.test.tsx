import { act, cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_EPOCH, type RunId, Seq } from '../src-shared/ids.ts';
import type { ClientMessage } from '../src-shared/protocol.ts';
import type { SessionSummary } from '../src-shared/session.ts';
import { wirePair } from '../src-shared/wire.ts';
import { useAttachment } from './attachment.ts';
import { startEngine } from './engine.ts';
import type { Attachment } from './pane-contract.ts';
import { useWindow } from './store.ts';
import { ScriptedHost } from './testing/scripted-host.ts';
import { settle, THIS_CLIENT } from './testing/window.tsx';

let host: ScriptedHost;
let session: SessionSummary;
let stop: () => void;
let seen: string[];
let current: Attachment;

function Pane({ runId, isOn }: { runId: RunId; isOn: boolean }) {
  current = useAttachment(runId, {
    isOn,
    viewport: () => ({ cols: 90, rows: 20 }),
    onStart: ({ after }) => seen.push(`start after ${after}`),
    onEvents: (events) => seen.push(...events.map((event) => `${event.seq}`)),
  });
  return null;
}

beforeEach(async () => {
  host = new ScriptedHost();
  session = host.add({ kind: 'claude', status: 'running', lastSeq: Seq.parse(3) });
  seen = [];
  stop = startEngine({
    clientId: THIS_CLIENT,
    kind: 'window',
    name: 'window',
    connect: async () => {
      const [ours, theirs] = wirePair();
      host.serve(theirs);
      return ours;
    },
  });
  await settle(() => useWindow.getState().connection.is === 'live');
});
afterEach(() => {
  cleanup();
  stop();
});

function event(seq: number, channel: string, type: string, payload: unknown) {
  host.send({
    type: 'run:events',
    runId: session.runId,
    events: [{ runId: session.runId, seq: Seq.parse(seq), epoch: FIRST_EPOCH, ts: 1, channel, type, payload }],
  });
}

function live(offset: number, text: string) {
  const piece = { messageId: 'm1', block: 0, blockKind: 'text' as const, toolName: null, parentToolUseId: null, offset, text };
  host.send({ type: 'run:live', runId: session.runId, live: piece });
}

const attaches = () =>
  host.received.filter((message): message is Extract<ClientMessage, { type: 'run:attach' }> => message.type === 'run:attach');

describe('a pane', () => {
  it('gets its session from a start on, and its state is known to the whole window', async () => {
    render(<Pane runId={session.runId} isOn />);
    await settle(() => current.is === 'live');
    expect(attaches()[0]).toMatchObject({ after: null, viewport: { cols: 90, rows: 20 } });
    event(4, 'system:status', 'renamed', { title: 'My title' });
    await settle(() => current.state?.title === 'My title');
    expect(seen).toEqual(['start after 3', '4']);
    expect(useWindow.getState().states.get(session.runId)?.title).toBe('My title');
  });

  it('[seq-3] that was hidden goes on after the last event it got', async () => {
    const { rerender } = render(<Pane runId={session.runId} isOn />);
    await settle(() => current.is === 'live');
    event(4, 'claude:message', 'message', {});
    await settle(() => seen.includes('4'));
    rerender(<Pane runId={session.runId} isOn={false} />);
    expect(current.is).toBe('off');
    await settle(() => host.received.some((message) => message.type === 'run:detach'));
    rerender(<Pane runId={session.runId} isOn />);
    await settle(() => attaches().length === 2);
    expect(attaches()[1]?.after).toBe(4);
    await settle(() => current.is === 'live');
    expect(seen).toEqual(['start after 3', '4']);
  });

  it('[claude-2] sees the text that is being written, until its turn ends', async () => {
    render(<Pane runId={session.runId} isOn />);
    await settle(() => current.is === 'live');
    live(0, 'Hel');
    live(3, 'lo');
    await settle(() => current.live[0]?.text === 'Hello');
    event(4, 'run:turn', 'ended', { inputId: null, outcome: 'done', message: null });
    await settle(() => current.live.length === 0);
  });

  it('is told when there is no such session', async () => {
    host.sessions.delete(session.runId);
    render(<Pane runId={session.runId} isOn />);
    await settle(() => current.is === 'refused');
    expect(current.refusal?.code).toBe('unknown-session');
  });

  it('says that it is stale while the wire is down', async () => {
    render(<Pane runId={session.runId} isOn />);
    await settle(() => current.is === 'live');
    act(() => host.drop());
    await settle(() => current.is === 'stale');
    host.isDown = false;
    await settle(() => current.is === 'live');
  });
});
