import type { MachineId, RunId } from '../../src-shared/ids.ts';
import type { OperationName, ParamsOf, ResultOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import type { OperationHandlers } from './connection.ts';
import type { RemoteDrive } from './remote-session.ts';

/** What reaches the user's other machines. */
export interface OtherMachines {
  /** This one's id. */
  readonly self: () => MachineId;
  /** Null: this machine is not connected to others. */
  readonly drive: () => Pick<RemoteDrive, 'call'> | null;
  /** What is known here of a session that was created elsewhere, as soon as it can be attached here; null if that takes too long. */
  readonly arrived: (runId: RunId) => Promise<SessionSummary | null>;
  /** Somebody here works on it. */
  readonly used: (runId: RunId) => void;
}

/** Has operations that name another machine (`machineId`) carried out there. A machine that is named as this one is this one. */
export function onMachine(handlers: OperationHandlers, others: OtherMachines): OperationHandlers {
  const there = <N extends OperationName>(machine: MachineId, operation: N, params: ParamsOf<N>): Promise<ResultOf<N>> => {
    const drive = others.drive();
    if (drive === null) {
      throw new RefusalError('not-ready', 'This machine reaches no other one.', 'Pair it: baton pair, or baton join CODE.');
    }
    return drive.call(machine, operation, params);
  };
  const elsewhere = (machineId: MachineId | undefined): machineId is MachineId =>
    machineId !== undefined && machineId !== others.self();
  const asSeenHere = async ({ session }: ResultOf<'session.create'>): Promise<ResultOf<'session.create'>> => {
    others.used(session.runId);
    const remote = { connection: 'behind', behindBytes: null, heardAt: null, historyComplete: true } as const;
    return { session: (await others.arrived(session.runId)) ?? { ...session, followed: true, remote } };
  };
  const {
    'session.create': create,
    'session.fork': fork,
    'files.complete': files,
    'claude.check': check,
    'claude.models': models,
  } = handlers;
  return {
    ...handlers,
    ...(create && {
      'session.create': async ({ machineId, ...params }, caller) => {
        if (!elsewhere(machineId)) return create(params, caller);
        return asSeenHere(await there(machineId, 'session.create', params));
      },
    }),
    // Where the conversation is.
    ...(fork && {
      'session.fork': async (params, caller) => {
        const forked = await fork(params, caller);
        return elsewhere(forked.session.machineId) ? asSeenHere(forked) : forked;
      },
    }),
    ...(files && {
      'files.complete': async ({ machineId, ...params }, caller) =>
        elsewhere(machineId) ? there(machineId, 'files.complete', params) : files(params, caller),
    }),
    ...(check && {
      'claude.check': async ({ machineId }, caller) =>
        elsewhere(machineId) ? there(machineId, 'claude.check', {}) : check({}, caller),
    }),
    ...(models && {
      'claude.models': async ({ machineId }, caller) =>
        elsewhere(machineId) ? there(machineId, 'claude.models', {}) : models({}, caller),
    }),
  };
}
