import type {
  CanUseTool,
  ElicitationRequest,
  ElicitationResult,
  PermissionResult,
  PermissionUpdate,
} from '@anthropic-ai/claude-agent-sdk';
import * as z from 'zod/mini';
import { newEvent, PermissionAsked } from '../../../src-shared/events.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { Adapter, AdapterHost } from './adapter.ts';

/**
 * What Claude Code may not do without the user. A request is in the log (durably: someone will act on it) before anyone is asked;
 * one that nobody answered, because its turn or its process ended, is answered here with a refusal, so that none stays open.
 */
type Answer = Parameters<Adapter['answer']>[0];
type AskOptions = Parameters<CanUseTool>[2];

interface Pending {
  settle(answer: Omit<Answer, 'requestId'>): void;
}

const Input = PermissionAsked.shape.input;
const DENIED = 'The user does not want this. Do not try it again in another way; ask what to do instead.';
const MOOT = 'The turn ended before anyone answered.';

export class Permissions {
  readonly #host: Pick<AdapterHost, 'append' | 'spec'>;
  readonly #onLogFailure: (error: unknown) => void;
  readonly #pending = new Map<string, Pending>();

  constructor(host: Pick<AdapterHost, 'append' | 'spec'>, onLogFailure: (error: unknown) => void) {
    this.#host = host;
    this.#onLogFailure = onLogFailure;
  }

  /** The SDK's question whether a tool may run. */
  readonly canUseTool: CanUseTool = async (toolName, rawInput, options): Promise<PermissionResult> => {
    const input = Input.parse(rawInput);
    const updates = sessionUpdates(options, this.#host.spec.cwd);
    const answer = await this.#ask(askedOf(toolName, input, options, updates), options.signal);
    const toolUseID = options.toolUseID;
    if (answer.decision === 'deny')
      return { behavior: 'deny', message: answer.reason ?? DENIED, toolUseID, decisionClassification: 'user_reject' };
    const updatedInput = { ...(answer.updatedInput ?? input) };
    if (answer.decision === 'allow')
      return { behavior: 'allow', updatedInput, toolUseID, decisionClassification: 'user_temporary' };
    return { behavior: 'allow', updatedInput, updatedPermissions: updates, toolUseID, decisionClassification: 'user_permanent' };
  };

  /** An MCP server's question to the user: allowed with the form's fields as the new input, or declined. */
  readonly onElicitation = async (
    request: ElicitationRequest,
    { signal }: { signal: AbortSignal },
  ): Promise<ElicitationResult> => {
    const { serverName, message, mode, url, requestedSchema } = request;
    const input = Input.parse(JSON.parse(JSON.stringify({ serverName, message, mode, url, requestedSchema })));
    const answer = await this.#ask(
      {
        requestId: crypto.randomUUID(),
        toolName: `mcp__${serverName}`,
        input,
        toolUseId: null,
        sessionRule: null,
        title: `${serverName} asks`,
        reason: message,
      },
      signal,
    );
    if (answer.decision === 'deny') return { action: 'decline' };
    const content = ElicitationContent.safeParse(answer.updatedInput ?? {});
    return content.success ? { action: 'accept', content: content.data } : { action: 'cancel' };
  };

  async #ask(asked: PermissionAsked, signal: AbortSignal): Promise<Omit<Answer, 'requestId'>> {
    const answered = new Promise<Omit<Answer, 'requestId'>>((settle) => this.#pending.set(asked.requestId, { settle }));
    // Pending before it is logged: the answer may come as soon as the event is out.
    try {
      await this.#host.append([newEvent('run:permission', 'asked', asked)], { durable: true });
    } catch (error) {
      // The SDK takes it for a refusal and tells Claude why.
      this.#pending.delete(asked.requestId);
      throw error;
    }
    const onAbort = () => void this.#moot(asked.requestId).catch(this.#onLogFailure);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const answer = await answered;
    signal.removeEventListener('abort', onAbort);
    return answer;
  }

  /** The user's answer, already in the log. */
  answer({ requestId, ...answer }: Answer): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined)
      throw new RefusalError('already-answered', 'This permission request is no longer open: its turn has ended.');
    this.#pending.delete(requestId);
    pending.settle(answer);
  }

  /** Nobody will answer any more. */
  async mootAll(): Promise<void> {
    await Promise.all([...this.#pending.keys()].map((requestId) => this.#moot(requestId)));
  }

  async #moot(requestId: string): Promise<void> {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    this.#pending.delete(requestId);
    const answered = { requestId, inputId: null, clientId: null, decision: 'deny', reason: MOOT } as const;
    pending.settle({ decision: 'deny', reason: MOOT });
    await this.#host.append([newEvent('run:permission', 'answered', answered)], { durable: true });
  }
}

const ElicitationContent = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]));

function askedOf(
  toolName: string,
  input: z.infer<typeof Input>,
  options: AskOptions,
  updates: readonly PermissionUpdate[],
): PermissionAsked {
  const { requestId, toolUseID, title, displayName, decisionReason, blockedPath } = options;
  const reasons = [decisionReason, blockedPath === undefined ? undefined : `It touches ${blockedPath}.`];
  const reason = reasons.filter((part) => part !== undefined).join(' ');
  return {
    requestId,
    toolName,
    input,
    toolUseId: toolUseID,
    sessionRule: updates.length === 0 ? null : updates.map(describeUpdate).join('; '),
    title: title ?? displayName ?? null,
    reason: reason === '' ? null : reason,
  };
}

/**
 * What "allow for session" adds. Claude Code suggests to write Bash rules into the project's settings file; for a session they
 * must end with it. Its other suggestion, to accept all edits, is taken only where there is no narrower one.
 */
function sessionUpdates({ suggestions = [], suppressAlwaysAllowRule }: AskOptions, cwd: string): PermissionUpdate[] {
  if (suppressAlwaysAllowRule === true) return [];
  const narrow = suggestions.filter((update) =>
    update.type === 'addDirectories'
      ? update.directories.some((folder) => folder !== cwd)
      : update.type === 'addRules' && update.behavior === 'allow',
  );
  const chosen = narrow.length > 0 ? narrow : suggestions.filter((update) => update.type === 'setMode');
  return chosen.map((update) => ({ ...update, destination: 'session' }));
}

function describeUpdate(update: PermissionUpdate): string {
  switch (update.type) {
    case 'addRules':
      return `Allow ${update.rules.map(({ toolName, ruleContent }) => (ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`)).join(', ')}`;
    case 'addDirectories':
      return `Give access to ${update.directories.join(', ')}`;
    case 'setMode':
      return update.mode === 'acceptEdits' ? 'Accept all file edits' : `Switch to the permission mode "${update.mode}"`;
    default:
      return update.type;
  }
}
