import * as z from 'zod/mini';

/** One session of any kind: a UUID v7, made by the machine that creates the session. The only session id that leaves an adapter. */
export const RunId = z.uuid().brand<'RunId'>();
export type RunId = z.infer<typeof RunId>;

/** One client (a window, a CLI, a browser tab): a UUID that the client makes once and keeps across reconnects. */
export const ClientId = z.uuid().brand<'ClientId'>();
export type ClientId = z.infer<typeof ClientId>;

/** One machine of the user: a random UUID v7 made at first start. */
export const MachineId = z.uuid().brand<'MachineId'>();
export type MachineId = z.infer<typeof MachineId>;

/** One command of a client (prompt, answer, queue change …): made by the sender, so that sending it twice is doing it once. */
export const InputId = z.uuid().brand<'InputId'>();
export type InputId = z.infer<typeof InputId>;

/** Position in a session's log: dense from 1, given by the host. 0 stands for "before the first event". */
export const Seq = z.int().check(z.nonnegative()).brand<'Seq'>();
export type Seq = z.infer<typeof Seq>;

/** Ownership generation of a session: starts at 1 and grows by one with each change of host. */
export const Epoch = z.int().check(z.positive()).brand<'Epoch'>();
export type Epoch = z.infer<typeof Epoch>;

/** Milliseconds since 1970, of the years 1 to 9999: what can be told as a date everywhere. */
export const Timestamp = z.int().check(z.gte(-62_135_596_800_000), z.lt(253_402_300_800_000));

/** Before the first event. */
export const NO_SEQ = Seq.parse(0);
export const FIRST_EPOCH = Epoch.parse(1);

/** The position after `seq`. */
export function nextSeq(seq: Seq): Seq {
  return (seq + 1) as Seq;
}
