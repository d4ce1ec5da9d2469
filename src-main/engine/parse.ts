import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { RefusalError } from '../../src-shared/refusal.ts';

const { localeError } = en();

/** Reads what came over a wire; what does not fit is refused with the place and what is expected there. */
export function parse<S extends z.ZodMiniType>(schema: S, value: unknown, what: string): z.infer<S> {
  const read = z.safeParse(schema, value, { error: localeError });
  if (read.success) return read.data;
  const issue = deepest(read.error.issues[0]);
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new RefusalError('bad-request', `${what}: ${where}${issue?.message ?? 'wrong parameters'}`);
}

type Issue = z.core.$ZodIssue;

/** Of the forms that a value may have, the fault in the one that it came nearest to. */
function deepest(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors
    .map((issues) => deepest(issues[0]))
    .filter((candidate) => candidate !== undefined)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined || inner.path.length === 0 ? issue : { ...inner, path: [...issue.path, ...inner.path] };
}
