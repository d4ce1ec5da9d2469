import { addEntry } from './conversation-add.ts';
import type { Fact } from './conversation-fact.ts';
import { type FoldState, placeOf, updateItems, updateLast, updateTool, withLastTurn } from './conversation-fold.ts';
import type { Item, PermissionMark, Subagent, ToolItem, ToolResult, ToolStatus } from './conversation-items.ts';

/** After a tool call was added: gives it the permission that was asked for it and the subagent that was seen before it. */
export function claimTool(state: FoldState, toolUseId: string): FoldState {
  const asked = state.asked.find((candidate) => candidate.toolUseId === toolUseId);
  const adopted = adopt(state, toolUseId, null);
  if (asked === undefined) return adopted;
  const marked = markTool(adopted, (tool) => tool.toolUseId === toolUseId, asked.mark);
  return marked === adopted ? adopted : { ...marked, asked: marked.asked.filter((candidate) => candidate !== asked) };
}

function markTool(state: FoldState, matches: (tool: ToolItem) => boolean, mark: PermissionMark): FoldState {
  return updateTool(state, matches, (tool) => {
    const isOpen = tool.status === 'running' || tool.status === 'waiting';
    return { ...tool, permission: mark, status: isOpen ? (mark.decision === null ? 'waiting' : 'running') : tool.status };
  });
}

export function finishTool(state: FoldState, toolUseId: string, result: ToolResult, ts: number): FoldState {
  return updateTool(
    state,
    (tool) => tool.toolUseId === toolUseId,
    (tool) => ({ ...tool, result, endedTs: ts, status: statusOf(tool, result) }),
  );
}

function statusOf(tool: ToolItem, result: ToolResult): ToolStatus {
  if (!result.isError) return 'ok';
  if (tool.permission?.decision === 'deny' && !tool.permission.moot) return 'denied';
  if (result.denial === 'user-rejected') return 'stopped';
  return result.denial === null ? 'error' : 'denied';
}

export function askPermission(
  state: FoldState,
  fact: Fact,
  { requestId, toolUseId, toolName }: { requestId: string; toolUseId: string | null; toolName: string },
): FoldState {
  const mark: PermissionMark = { requestId, decision: null, clientId: null, reason: null, moot: false };
  if (toolUseId === null) {
    const item: Item = { kind: 'permission', key: `ask:${placeOf(fact)}`, seq: fact.seq, ts: fact.ts, toolName, mark };
    return withLastTurn(state, fact, (turn) => ({ ...turn, items: [...turn.items, item] }));
  }
  const marked = markTool(state, (tool) => tool.toolUseId === toolUseId, mark);
  return marked === state ? { ...state, asked: [...state.asked, { toolUseId, mark }] } : marked;
}

export function answerPermission(state: FoldState, mark: PermissionMark): FoldState {
  const { requestId } = mark;
  if (state.asked.some((asked) => asked.mark.requestId === requestId))
    return { ...state, asked: state.asked.map((asked) => (asked.mark.requestId === requestId ? { ...asked, mark } : asked)) };
  const marked = markTool(state, (tool) => tool.permission?.requestId === requestId, mark);
  if (marked !== state) return marked;
  return {
    ...state,
    turns: updateLast(state.turns, (turn) => {
      const items = updateLast(turn.items, (item) =>
        item.kind === 'permission' && item.mark.requestId === requestId ? { ...item, mark } : item,
      );
      return items === turn.items ? turn : { ...turn, items };
    }),
  };
}

const NEW_SUBAGENT = { toolUseId: null, agentType: null, description: null, finished: false, items: [] };

export function applySubagentFact(state: FoldState, fact: Fact, subpath: string): FoldState {
  const { body } = fact;
  const next = nestFact(state, fact, subpath);
  return body.kind === 'block' && body.content.kind === 'tool' ? claimTool(next, body.content.toolUseId) : next;
}

function nestFact(state: FoldState, fact: Fact, subpath: string): FoldState {
  const nested = updateTool(
    state,
    (tool) => tool.subagent?.subpath === subpath,
    (tool) => (tool.subagent === null ? tool : { ...tool, subagent: foldSubagent(tool.subagent, fact) }),
  );
  if (nested !== state) return nested;
  const stray = state.strays.find((candidate) => candidate.subpath === subpath) ?? { subpath, ...NEW_SUBAGENT };
  const folded = foldSubagent(stray, fact);
  const strays = [...state.strays.filter((candidate) => candidate.subpath !== subpath), folded];
  return folded.toolUseId === null ? { ...state, strays } : adopt({ ...state, strays }, folded.toolUseId, null);
}

function foldSubagent(subagent: Subagent, fact: Fact): Subagent {
  const { body } = fact;
  switch (body.kind) {
    case 'agent':
      return {
        ...subagent,
        toolUseId: body.toolUseId ?? subagent.toolUseId,
        agentType: body.agentType ?? subagent.agentType,
        description: body.description ?? subagent.description,
        finished: body.finished || subagent.finished,
      };
    case 'tool-result':
      return {
        ...subagent,
        items: updateItems(
          subagent.items,
          (tool) => tool.toolUseId === body.toolUseId,
          (tool) => ({ ...tool, result: body.result, endedTs: fact.ts, status: statusOf(tool, body.result) }),
        ),
      };
    default: {
      // Its first prompt is the input of the tool call.
      const items = addEntry(subagent.items, fact);
      return items === subagent.items ? subagent : { ...subagent, items };
    }
  }
}

/** Nests a stray subagent under its tool call, if both are here. Known by the call's id, or by the agent's id that its result names. */
export function adopt(state: FoldState, toolUseId: string, agentId: string | null): FoldState {
  const stray = state.strays.find(
    (candidate) => candidate.toolUseId === toolUseId || (agentId !== null && candidate.subpath.endsWith(`agent-${agentId}`)),
  );
  if (stray === undefined) return state;
  const adopted = updateTool(
    state,
    (tool) => tool.toolUseId === toolUseId && tool.subagent === null,
    (tool) => ({ ...tool, subagent: { ...stray, toolUseId } }),
  );
  return adopted === state ? state : { ...adopted, strays: adopted.strays.filter((candidate) => candidate !== stray) };
}
