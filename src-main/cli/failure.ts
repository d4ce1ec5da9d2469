import { type RefusalCode, RefusalError } from '../../src-shared/refusal.ts';

/** What the shell is told. Documented in docs/cli.md; scripts rely on it. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noServer: 3,
  notFound: 4,
  refused: 5,
  conflict: 6,
  timedOut: 7,
  cancelled: 130,
  /** `attach`, and `new` when it attaches, pass on the program's code: this one is Baton's own, as with ssh. */
  ownFailure: 255,
} as const;

const EXIT_OF_REFUSAL: Readonly<Record<RefusalCode, number>> = {
  'bad-request': EXIT.usage,
  'unknown-session': EXIT.notFound,
  'unknown-target': EXIT.notFound,
  'not-running': EXIT.conflict,
  'already-answered': EXIT.conflict,
  'input-id-reused': EXIT.conflict,
  'wrong-epoch': EXIT.conflict,
  'queue-full': EXIT.refused,
  'too-large': EXIT.refused,
  'not-allowed': EXIT.refused,
  unsupported: EXIT.refused,
  'not-ready': EXIT.failed,
  'version-mismatch': EXIT.failed,
  'shutting-down': EXIT.noServer,
  failed: EXIT.failed,
};

/** What a verb could not do: one sentence, the way out where there is one, and the code for the shell. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  readonly hint: string | null;
  constructor(exitCode: number, message: string, hint: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof RefusalError) {
    const { code, message, hint } = error.refusal;
    return new Failure(EXIT_OF_REFUSAL[code], message, hint);
  }
  return new Failure(EXIT.failed, error instanceof Error ? error.message : String(error));
}
