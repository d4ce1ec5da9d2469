import { expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { OwnName } from './own-name.ts';

it('[member-10] a name that is shown otherwise than it is written is told once, and not at each connection', async () => {
  const [a] = (await testWorkspace()) as [TestMachine];
  const before = a.entries.length;
  let set: string | null = null;
  const workspace = {
    get membership() {
      return a.membership;
    },
    keyring: a.keyring,
    signer: a,
    clock: SYSTEM_CLOCK,
    excluded: null,
    link: { state: { is: 'live' } } as const,
    append: async (change: (membership: TestMachine['membership']) => Uint8Array) => {
      a.apply(change(a.membership));
      name.follow();
    },
  };
  const name: OwnName = new OwnName(workspace, {
    machineName: () => set ?? ' lap\u200btop ',
    setName: async (to) => {
      set = to;
    },
    onProblem: (message) => expect.fail(message),
  });
  for (let connection = 0; connection < 3; connection++) name.tell();
  expect(a.entries.length).toBe(before + 1);
  expect(set).toBeNull();
});
