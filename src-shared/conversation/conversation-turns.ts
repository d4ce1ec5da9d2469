import type { TurnOutcome } from '../events.ts';
import { addEntry } from './conversation-add.ts';
import type { EntryFact, Fact } from './conversation-fact.ts';
import { type FoldState, newTurn, openTurn, placeOf, stopTools, withLastTurn } from './conversation-fold.ts';
import type { Item, Turn } from './conversation-items.ts';
import { adopt, answerPermission, applySubagentFact, askPermission, claimTool, finishTool } from './conversation-tools.ts';

/** The state after `fact`. */
export function applyFact(state: FoldState, fact: Fact): FoldState {
  if (fact.subpath !== null) return applySubagentFact(state, fact, fact.subpath);
  const { body } = fact;
  switch (body.kind) {
    case 'queued': {
      const { inputId, clientId, text, images } = body;
      return { ...state, queued: { ...state.queued, [inputId]: { clientId, text, images } } };
    }
    case 'edited': {
      const waiting = state.queued[body.target];
      return waiting === undefined
        ? state
        : { ...state, queued: { ...state.queued, [body.target]: { ...waiting, text: body.text } } };
    }
    case 'deleted':
      return { ...state, queued: without(state.queued, body.target) };
    case 'accepted':
      return acceptPrompt(state, fact, body.inputId);
    case 'turn-ended':
      return endTurn(state, fact, body);
    case 'result': {
      const { usage, durationMs, subtype, isError } = body;
      return withLastTurn(state, fact, (turn) => ({ ...turn, result: { usage, durationMs, subtype, isError } }));
    }
    case 'permission-asked':
      return askPermission(state, fact, body);
    case 'permission-answered': {
      const { requestId, decision, clientId, reason, moot } = body;
      return answerPermission(state, { requestId, decision, clientId, reason, moot });
    }
    case 'crashed':
      return crash(state, fact, body);
    case 'prompt':
      return echoPrompt(state, fact, body);
    default:
      return applyEntry(state, fact, body);
  }
}

function applyEntry(state: FoldState, fact: Fact, body: Exclude<EntryFact, { kind: 'prompt' }>): FoldState {
  if (body.kind === 'tool-result') {
    const finished = finishTool(state, body.toolUseId, body.result, fact.ts);
    return body.result.detail?.kind === 'subagent' ? adopt(finished, body.toolUseId, body.result.detail.agentId) : finished;
  }
  // Book-keeping alone is no reason to begin a turn.
  if (body.kind === 'quiet' && state.turns.length === 0) return state;
  // A task of the session reports: Claude takes a turn of its own accord.
  if (body.kind === 'notice' && body.notice.type === 'task' && openTurn(state) === null) {
    const turn = newTurn(fact, null);
    return begin(state, { ...turn, items: addEntry(turn.items, fact) });
  }
  const next = withLastTurn(state, fact, (turn) => {
    const items = addEntry(turn.items, fact);
    return items === turn.items ? turn : { ...turn, items };
  });
  return body.kind === 'block' && body.content.kind === 'tool' ? claimTool(next, body.content.toolUseId) : next;
}

/** One turn at a time: what the one before left running has stopped. */
function begin(state: FoldState, turn: Turn): FoldState {
  const last = state.turns.at(-1);
  if (last === undefined) return { ...state, turns: [turn] };
  const items = stopTools(last.items);
  return { ...state, turns: [...state.turns.slice(0, -1), items === last.items ? last : { ...last, items }, turn] };
}

function acceptPrompt(state: FoldState, fact: Fact, inputId: string): FoldState {
  const waiting = state.queued[inputId];
  const turn = newTurn(fact, {
    inputId,
    clientId: waiting?.clientId ?? null,
    text: waiting?.text ?? null,
    images: waiting?.images ?? [],
    uuid: null,
  });
  return { ...begin(state, turn), queued: without(state.queued, inputId) };
}

/** The transcript's entry of a prompt: the one just accepted, or one that did not come through Baton. */
function echoPrompt(state: FoldState, fact: Fact, body: Extract<EntryFact, { kind: 'prompt' }>): FoldState {
  const { uuid, text, images } = body;
  const last = state.turns.at(-1);
  const awaited = last?.prompt;
  if (last !== undefined && awaited != null && awaited.inputId !== null && awaited.uuid === null) {
    const isEcho = last.end === null || awaited.text === text || awaited.text === null;
    if (isEcho) {
      const known = awaited.text !== null;
      const prompt = { ...awaited, uuid: uuid ?? '', text: awaited.text ?? text, images: known ? awaited.images : images };
      return { ...state, turns: [...state.turns.slice(0, -1), { ...last, prompt }] };
    }
  }
  return begin(state, newTurn(fact, { inputId: null, clientId: null, text, images, uuid }));
}

function endTurn(
  state: FoldState,
  fact: Fact,
  { inputId, outcome, message }: { inputId: string | null; outcome: TurnOutcome; message: string | null },
): FoldState {
  const started = inputId === null ? -1 : state.turns.findLastIndex((turn) => turn.prompt?.inputId === inputId);
  if (started < 0 && state.turns.length === 0)
    return withLastTurn(state, fact, (turn) => closeTurn(turn, fact, outcome, message));
  const at = started < 0 ? state.turns.length - 1 : started;
  return { ...state, turns: state.turns.map((turn, index) => (index === at ? closeTurn(turn, fact, outcome, message) : turn)) };
}

function closeTurn(turn: Turn, fact: Fact, outcome: TurnOutcome, message: string | null): Turn {
  if (turn.end !== null) return turn;
  const end: Item = { kind: 'end', key: `end:${placeOf(fact)}`, seq: fact.seq, ts: fact.ts };
  return { ...turn, items: [...stopTools(turn.items), end], end: { outcome, message, ts: fact.ts, seq: fact.seq } };
}

/** Between the last event and this one the engine died: whatever ran has stopped. */
function crash(state: FoldState, fact: Fact, { lastSeenTs, reason }: { lastSeenTs: number; reason: string }): FoldState {
  const key = `crash:${placeOf(fact)}`;
  const mark: Item = { kind: 'notice', key, seq: fact.seq, ts: fact.ts, notice: { type: 'crashed', lastSeenTs, reason } };
  return withLastTurn(state, fact, (turn) => {
    const end = turn.end ?? { outcome: 'interrupted' as const, message: null, ts: lastSeenTs, seq: fact.seq };
    return { ...turn, items: [...stopTools(turn.items), mark], end };
  });
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!Object.hasOwn(record, key)) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
