import * as z from 'zod/mini';
import { InputId, RunId, Seq } from '../../src-shared/ids.ts';
import { OPERATIONS, type OperationName, type ParamsOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionCommand } from '../engine/session-commands.ts';
import { type Route, type RouteCaller, route } from './route.ts';

/** A prompt with images. Larger ones go over a wire. */
export const MAX_PROMPT_BYTES = 32 * 1024 * 1024;

/** The path of what is about one session. */
export const session = { runId: RunId };
export const none = z.object({});
export const text = (maxLength: number) => z.string().check(z.maxLength(maxLength));
export const limit = (fallback: number, most: number) => z._default(z.int().check(z.gte(1), z.lte(most)), fallback);

const Executed = z.object({ inputId: InputId, seq: Seq });

type Plain = {
  [N in OperationName]: Record<never, never> extends ParamsOf<N> ? N : never;
}[OperationName];

/** An operation without parameters. */
export function asked(method: 'GET' | 'POST', url: string, operation: Plain, summary: string): Route {
  const { result } = OPERATIONS[operation];
  return route({
    method,
    url,
    id: operation,
    operation,
    summary,
    answer: result,
    handle: (_input, { call }) => call(operation, {}),
  });
}

/** One that does something. */
export function done(url: string, operation: Plain, summary: string): Route {
  return asked('POST', url, operation, summary);
}

type Sent = 'settings.set' | 'claude.setApiKey' | 'pairing.offer' | 'pairing.join' | 'pairing.confirm' | 'relay.start';

/** An operation whose parameters are the body. */
export function sent(method: 'POST' | 'PUT' | 'PATCH', url: string, operation: Sent, summary: string): Route {
  const { params, result } = OPERATIONS[operation];
  return route({
    method,
    url,
    id: operation,
    operation,
    summary,
    body: params as z.ZodMiniType,
    answer: result as z.ZodMiniType,
    handle: ({ body }, { call }) => call(operation, body),
  });
}

type CommandContent = SessionCommand extends infer C ? (C extends SessionCommand ? Omit<C, 'inputId'> : never) : never;

/** A command to a session: executed once, answered with the event that records it. */
export function command<P extends Record<string, z.ZodMiniType>, B extends z.ZodMiniType = z.ZodMiniUndefined>(
  method: Route['method'],
  below: string,
  name: string,
  summary: string,
  path: P,
  body: B | undefined,
  contentOf: (path: z.infer<z.ZodMiniObject<P>>, body: z.infer<B>) => CommandContent,
): Route {
  return {
    method,
    url: `/sessions/{runId}${below}`,
    id: `session.${name}`,
    summary,
    path: { ...session, ...path },
    ...(body === undefined ? {} : { body }),
    answer: Executed,
    isOnce: true,
    handle: (input, caller) => {
      // Read by exactly these schemas; their types are lost on the way through the table.
      const { runId, ...rest } = input.path as z.infer<z.ZodMiniObject<P>> & { runId: RunId };
      const content = contentOf(rest as z.infer<z.ZodMiniObject<P>>, input.body as z.infer<B>);
      return execute(caller, runId, { ...content, inputId: input.inputId } as SessionCommand);
    },
  };
}

async function execute(
  { engine, clientId }: RouteCaller,
  runId: RunId,
  command: SessionCommand,
): Promise<z.infer<typeof Executed>> {
  const outcome = await engine.session(runId).execute(command, clientId);
  if (outcome.ok) return { inputId: command.inputId, seq: outcome.seq };
  const { code, message, hint } = outcome.refusal;
  throw new RefusalError(code, message, hint);
}
