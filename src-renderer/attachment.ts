import { useCallback, useEffect, useRef, useState } from 'react';
import type { ClientAttachment } from '../src-shared/client-attachment.ts';
import type { LogEvent } from '../src-shared/events.ts';
import type { RunId, Seq } from '../src-shared/ids.ts';
import { LiveTexts } from '../src-shared/live-texts.ts';
import type { LiveText } from '../src-shared/protocol.ts';
import type { Refusal } from '../src-shared/refusal.ts';
import type { SessionState } from '../src-shared/session.ts';
import { attach, sendCommand } from './engine.ts';
import type { Attachment, AttachmentOptions, CommandDraft } from './pane-contract.ts';
import { type Presence, useWindow } from './store.ts';

const noTexts: readonly LiveText[] = [];
const nobody: Attachment['viewers'] = [];

/** A pane's connection to its session; what it may expect is written at `AttachmentOptions` and `Attachment`. */
export function useAttachment(runId: RunId, options: AttachmentOptions): Attachment {
  const newest = useRef(options);
  useEffect(() => {
    newest.current = options;
  });
  const attachment = useRef<ClientAttachment | null>(null);
  /** Where a pane that was hidden goes on. */
  const cursor = useRef<{ readonly after: Seq | null; readonly afterTs?: number | undefined }>({ after: null });
  const [state, setState] = useState<SessionState | null>(null);
  const [isFollowing, setFollowing] = useState(false);
  const [wasFollowing, setWasFollowing] = useState(false);
  const [isDriving, setDriving] = useState(false);
  const [driver, setDriver] = useState<string | null>(null);
  const [viewers, setViewers] = useState<Attachment['viewers']>(nobody);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const { live, addLive, clearLive } = useLiveTexts();
  const session = useWindow((window) => window.sessions.get(runId)) ?? null;
  const { isOn } = options;

  useEffect(() => {
    if (!isOn) return;
    const current = attach(
      runId,
      { ...cursor.current, viewport: () => newest.current.viewport?.() ?? null },
      {
        onStart: (start) => {
          // A pane that was hidden still shows what it had.
          if (!start.continues || cursor.current.after === null) newest.current.onStart(start);
        },
        onEvents: (events) => {
          newest.current.onEvents(events);
          if (endsTurn(events)) clearLive();
        },
        onState: (next) => {
          setState(next);
          useWindow.setState(({ states }) => ({ states: new Map(states).set(runId, next) }));
        },
        onLive: addLive,
        onLiveReset: clearLive,
        onViewers: ({ driver: driverId, viewers: present }, drives) => {
          setDriving(drives);
          setViewers(present);
          setDriver(present.find(({ clientId }) => clientId === driverId)?.name ?? null);
          setPresence(runId, { driver: driverId, viewers: present });
        },
        onFollowing: (follows) => {
          setFollowing(follows);
          if (follows) setWasFollowing(true);
        },
        onRefused: setRefusal,
      },
    );
    attachment.current = current;
    return () => {
      cursor.current = { after: current.cursor, afterTs: current.cursorTs };
      attachment.current = null;
      current.detach();
      setPresence(runId, null);
      setFollowing(false);
      clearLive();
    };
  }, [runId, isOn, addLive, clearLive]);

  const send = useCallback((command: CommandDraft) => sendCommand(runId, command), [runId]);
  const keys = useCallback((data: Uint8Array) => attachment.current?.keys(data), []);
  const setViewport = useCallback((cols: number, rows: number) => attachment.current?.viewport(cols, rows), []);
  const parsed = useCallback((bytes: number) => attachment.current?.parsed(bytes), []);
  const is = refusal ? 'refused' : !isOn ? 'off' : isFollowing ? 'live' : wasFollowing ? 'stale' : 'attaching';
  return { is, refusal, session, state, live, isDriving, driver, viewers, send, keys, setViewport, parsed };
}

/** Beside the pane it is shown by what stands around it. */
function setPresence(runId: RunId, present: Presence | null): void {
  useWindow.setState(({ presence }) => {
    const next = new Map(presence);
    if (present === null) next.delete(runId);
    else next.set(runId, present);
    return { presence: next };
  });
}

const lifeTypes: ReadonlySet<string> = new Set(['started', 'exited', 'interrupted']);

function endsTurn(events: readonly LogEvent[]): boolean {
  return events.some(({ channel, type }) => channel === 'run:turn' || (channel === 'system:status' && lifeTypes.has(type)));
}

/** Pieces of text come faster than a screen shows them: the list is renewed once a frame. */
function useLiveTexts() {
  const texts = useRef(new LiveTexts());
  const frame = useRef<number | null>(null);
  const [live, setLive] = useState(noTexts);
  const show = useCallback(() => {
    frame.current ??= requestAnimationFrame(() => {
      frame.current = null;
      setLive(texts.current.all);
    });
  }, []);
  const addLive = useCallback(
    (piece: LiveText) => {
      texts.current.add(piece);
      show();
    },
    [show],
  );
  const clearLive = useCallback(() => {
    texts.current.clear();
    setLive((before) => (before.length === 0 ? before : noTexts));
  }, []);
  useEffect(
    () => () => {
      if (frame.current !== null) cancelAnimationFrame(frame.current);
    },
    [],
  );
  return { live, addLive, clearLive };
}
