import { act, renderHook } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SessionSummary } from '../../src-shared/session.ts';
import { summary } from '../testing/scripted-host.ts';
import { startTexts } from '../texts/texts.ts';
import { useAwayNote } from './use-away-note.ts';

beforeAll(startTexts);

const there = (connection: 'live' | 'away'): SessionSummary =>
  summary({ machine: 'desktop', remote: { connection, behindBytes: null, heardAt: null, historyComplete: true } });

describe('typing into a terminal of another machine', () => {
  it('[view-4] is told once that it does not arrive, each time the machine goes away', () => {
    const { result, rerender } = renderHook((session: SessionSummary) => useAwayNote(session), { initialProps: there('live') });
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

  it('says nothing of a terminal that runs here', () => {
    const { result } = renderHook(() => useAwayNote(summary()));
    act(() => result.current.noteTyped());
    expect(result.current.note).toBeNull();
  });
});
