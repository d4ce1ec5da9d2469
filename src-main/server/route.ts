import type * as z from 'zod/mini';
import type { ClientId, InputId } from '../../src-shared/ids.ts';
import type { OperationName, ResultOf } from '../../src-shared/operations.ts';
import type { Engine } from '../engine/engine.ts';

/** What a route is answered with. */
export interface RouteCaller {
  readonly engine: Engine;
  readonly clientId: ClientId;
  /** Carries out an operation for the client that asks. */
  call<N extends OperationName>(operation: N, params: unknown): Promise<ResultOf<N>>;
}

type Fields = Readonly<Record<string, z.ZodMiniType>>;
type FieldsOf<F extends Fields> = z.infer<z.ZodMiniObject<F>>;

/** A route as it is written down. */
interface RouteOf<P extends Fields, Q extends Fields, B extends z.ZodMiniType, A extends z.ZodMiniType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the prefix of the API; `{name}` stands for a field of `path`. */
  readonly url: string;
  /** Its name in the document; that of the operation where it is one. */
  readonly id: string;
  readonly operation?: OperationName;
  readonly summary: string;
  readonly description?: string;
  readonly path?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Larger ones are refused; without it the server's bound counts. */
  readonly maxBodyBytes?: number;
  readonly answer: A;
  /** 200 if not said. */
  readonly status?: 201 | 202;
  /** Executed once for an `Idempotency-Key`. */
  readonly isOnce?: true;
  handle(
    input: { readonly path: FieldsOf<P>; readonly query: FieldsOf<Q>; readonly body: z.infer<B>; readonly inputId: InputId },
    caller: RouteCaller,
  ): Promise<z.infer<A>>;
}

/** What a request held, read by the route's own schemas. */
export interface RouteInput {
  readonly path: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly body: unknown;
  readonly inputId: InputId;
}

export interface Route extends Omit<RouteOf<Fields, Fields, z.ZodMiniType, z.ZodMiniType>, 'handle'> {
  handle(input: RouteInput, caller: RouteCaller): Promise<unknown>;
}

/** Checks `handle` against the schemas beside it, then forgets which they are: what runs a route reads its input by them. */
export function route<
  P extends Fields = Record<never, never>,
  Q extends Fields = Record<never, never>,
  B extends z.ZodMiniType = z.ZodMiniUndefined,
  A extends z.ZodMiniType = z.ZodMiniType,
>(written: RouteOf<P, Q, B, A>): Route {
  return written as unknown as Route;
}
