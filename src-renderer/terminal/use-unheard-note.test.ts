import { act, renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useWindow } from '../store.ts';
import { machine, summary } from '../testing/scripted-host.ts';
import { startTexts } from '../texts/texts.ts';
import { useUnheardNote } from './use-unheard-note.ts';

beforeAll(startTexts);

const there = (connection: 'live' | 'away'): SessionSummary =>
  summary({ machine: 'desktop', remote: { connection, behindBytes: null, heardAt: null, historyComplete: true } });

describe('typing into a terminal of another machine', () => {
  it('[view-4] is told once that it does not arrive, each time the machine goes away', () => {
    const { result, rerender } = renderHook((session: SessionSummary) => useUnheardNote(session.runId, session), {
      initialProps: there('live'),
    });
    act(() => result.current.noteTyped());
    expect(result.current.note).toBeNull();
    rerender(there('away'));
    expect(result.current.note).toBeNull();
    act(() => result.current.noteTyped());
    expect(result.current.note).toBe('desktop is away: what you type does not arrive there.');
    rerender(there('live'));
    expect(result.current.note).toBeNull();
    rerender(there('away'));
    expect(result.current.note).toBeNull();
  });

  it('[view-4] is told where this machine may only look, and then nothing goes out', () => {
    const session = there('live');
    useWindow.setState({
      sessions: new Map([[session.runId, session]]),
      machines: {
        workspace: null,
        machines: [machine({ self: true, rights: 'view' }), machine({ machineId: session.machineId, may: 'view' })],
        relay: { url: null, state: 'live', since: '', why: null, embedded: null, lan: false },
      },
    });
    const { result } = renderHook(() => useUnheardNote(session.runId, session));
    expect(result.current).toMatchObject({ note: null, isMute: true });
    act(() => result.current.noteTyped());
    expect(result.current.note).toMatch(/^This machine may only look at what runs on desktop/);
    act(() => useWindow.setState({ machines: null }));
    expect(result.current).toMatchObject({ note: null, isMute: false });
  });

  it('says nothing of a terminal that runs here', () => {
    const { result } = renderHook(() => useUnheardNote(there('live').runId, summary()));
    act(() => result.current.noteTyped());
    expect(result.current.note).toBeNull();
  });
});
