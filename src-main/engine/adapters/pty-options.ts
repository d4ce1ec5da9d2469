import * as z from 'zod/mini';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { PtySpawn } from '../pty-host/pty-host-protocol.ts';

type PtyOptions = PtySpawn['options'];

/** node-pty's options beyond command, folder, environment, size and TERM, which a session's spec has fields for. */
const schemas = {
  /** The program's character set. Baton shows and logs UTF-8. */
  encoding: z.enum(['utf8', 'latin1']),
  uid: z.int().check(z.nonnegative()),
  gid: z.int().check(z.nonnegative()),
  handleFlowControl: z.boolean(),
  flowControlPause: z.string().check(z.minLength(1)),
  flowControlResume: z.string().check(z.minLength(1)),
  useConpty: z.boolean(),
  useConptyDll: z.boolean(),
  conptyInheritCursor: z.boolean(),
} satisfies Record<keyof PtyOptions, z.ZodMiniType>;

const Options = z.strictObject({
  encoding: z.optional(schemas.encoding),
  uid: z.optional(schemas.uid),
  gid: z.optional(schemas.gid),
  handleFlowControl: z.optional(schemas.handleFlowControl),
  flowControlPause: z.optional(schemas.flowControlPause),
  flowControlResume: z.optional(schemas.flowControlResume),
  useConpty: z.optional(schemas.useConpty),
  useConptyDll: z.optional(schemas.useConptyDll),
  conptyInheritCursor: z.optional(schemas.conptyInheritCursor),
});

const windowsOnly = ['useConpty', 'useConptyDll', 'conptyInheritCursor'] as const;
const linuxOnly = ['uid', 'gid'] as const;
const unixOnly = ['encoding'] as const;

/** Checks them; refuses by name what is unknown, of the wrong kind, or without effect on this platform. */
export function readPtyOptions(options: Readonly<Record<string, unknown>>, platform: NodeJS.Platform): PtyOptions {
  const known = Object.keys(schemas);
  for (const name of Object.keys(options))
    if (!known.includes(name)) refuse(name, 'is not known', `Known are ${known.join(', ')}.`);
  const read = Options.safeParse(options);
  if (!read.success) {
    const [issue] = read.error.issues;
    refuse(String(issue?.path[0]), `cannot be ${JSON.stringify(options[String(issue?.path[0])])}`, issue?.message ?? null);
  }
  refuseWhere(platform !== 'win32', windowsOnly, 'Windows', options);
  refuseWhere(platform !== 'linux', linuxOnly, 'Linux', options);
  refuseWhere(platform === 'win32', unixOnly, 'Linux and macOS', options);
  if ((options.uid === undefined) !== (options.gid === undefined))
    refuse(options.uid === undefined ? 'gid' : 'uid', 'stands alone', 'uid and gid are set together.');
  return read.data;
}

function refuseWhere(isHere: boolean, names: readonly string[], where: string, options: Readonly<Record<string, unknown>>): void {
  for (const name of names)
    if (isHere && options[name] !== undefined) refuse(name, `exists only on ${where}`, 'Leave it out on this machine.');
}

function refuse(name: string, what: string, hint: string | null): never {
  throw new RefusalError('bad-request', `The terminal option “${name}” ${what}.`, hint);
}
