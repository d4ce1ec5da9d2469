import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Json, newEvent } from '../../../src-shared/events.ts';
import { ClientId, MachineId } from '../../../src-shared/ids.ts';
import { SampleLog } from '../../../src-shared/sim/sample-conversation.ts';
import { useWindow } from '../../store.ts';
import { machine } from '../../testing/scripted-host.ts';
import { button, closePane, composer, press, type ShownPane, showPane, type } from '../testing/pane.tsx';

const OTHER_CLIENT = ClientId.parse('0198f000-0000-4000-8000-00000000cccc');

let pane: ShownPane;

const card = () => screen.getByRole('region', { name: /^Claude (wants|asks|has)/ });
const command = () => within(card()).getByRole('group', { name: 'Command' }).textContent;
/** Time goes on without anybody waiting for it. */
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** A turn that waits for permission to run a command. */
function asking(): SampleLog {
  const asked = new SampleLog();
  asked.prompt('Clean up');
  ask(asked, 'rm -rf build', 'r1');
  return asked;
}

function ask(to: SampleLog, command: string, requestId: string, sessionRule: string | null = `Allow Bash(${command})`): void {
  const input: { [key: string]: Json } = { command };
  const toolUseId = to.tool('Bash', input);
  to.append(
    newEvent('run:permission', 'asked', {
      requestId,
      toolName: 'Bash',
      input,
      toolUseId,
      sessionRule,
      title: null,
      reason: null,
    }),
  );
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  await closePane();
  useWindow.setState({ machines: null });
  vi.useRealTimers();
});

describe('a permission request', () => {
  it('[claude-3] shows the exact command and takes the focus when nobody types', async () => {
    pane = await showPane(asking().events);
    expect(command()).toBe('rm -rf build');
    await waitFor(() => expect(document.activeElement).toBe(card()));
  });

  it('[view-6] is shown without a way to answer where this machine may only look', async () => {
    pane = await showPane(asking().events);
    await waitFor(() => expect(document.activeElement).toBe(card()));
    const { host } = pane;
    const machineId = MachineId.parse('0198f000-0000-7000-8000-00000000cccc');
    host.change(host.runId, {
      machine: 'desktop',
      machineId,
      remote: { connection: 'live', behindBytes: null, heardAt: null, historyComplete: true },
    });
    host.send({
      type: 'machines:changed',
      ...host.machines,
      machines: [...host.machines.machines, machine({ machineId, may: 'view' })],
    });
    await waitFor(() => expect(screen.queryByRole('textbox', { name: 'Message Claude' })).toBeNull());
    expect(screen.getByRole('button', { name: 'Show machines' })).toBeTruthy();
    for (const name of ['Allow', 'Allow for session', 'Deny']) expect(button(name)).toHaveProperty('disabled', true);
    later(1_000);
    press('1');
    expect(host.commands()).toEqual([]);
    host.send({
      type: 'machines:changed',
      ...host.machines,
      machines: [...host.machines.machines, machine({ machineId, may: 'type' })],
    });
    await waitFor(() => expect(button('Allow')).toHaveProperty('disabled', false));
    fireEvent.click(button('Allow'));
    await pane.sent('permission');
  });

  it.each([
    ['1', {}, 'allow'],
    ['2', {}, 'allow-session'],
    ['3', {}, 'deny'],
    ['Enter', { ctrlKey: true }, 'allow'],
  ])('is answered by %s %o', async (key, more, decision) => {
    pane = await showPane(asking().events);
    await waitFor(() => expect(document.activeElement).toBe(card()));
    later(400);
    press(key, more);
    expect(await pane.sent('permission')).toEqual([{ kind: 'permission', requestId: 'r1', decision, reason: null }]);
  });

  it('is not answered by plain Enter, nor by a key that was meant for something else', async () => {
    pane = await showPane(asking().events);
    await waitFor(() => expect(document.activeElement).toBe(card()));
    press('1');
    later(400);
    press('Enter');
    press('Escape');
    expect(document.activeElement).toBe(composer());
    press('1');
    expect(pane.host.commands().filter(({ kind }) => kind === 'permission')).toEqual([]);
  });

  it('leaves the focus to a prompt that is half written; Escape goes to and fro', async () => {
    const begun = new SampleLog();
    begun.prompt('Clean up');
    pane = await showPane(begun.events);
    act(() => composer().focus());
    type('1 more thing');
    pane.tell(() => ask(begun, 'rm -rf build', 'r1'));
    await screen.findByRole('region', { name: /^Claude wants/ });
    later(400);
    expect(document.activeElement).toBe(composer());
    press('Escape');
    expect(document.activeElement).toBe(card());
    press('Escape');
    expect(document.activeElement).toBe(composer());
    expect(pane.host.commands()).toEqual([]);
  });

  it('is denied with the reason that was typed, digits and all', async () => {
    pane = await showPane(asking().events);
    const reason = screen.getByRole('textbox', { name: 'Reason for denying' });
    act(() => reason.focus());
    later(400);
    press('1');
    expect(pane.host.commands()).toEqual([]);
    fireEvent.change(reason, { target: { value: 'not 1 but 2' } });
    fireEvent.keyDown(reason, { key: 'Enter' });
    expect(await pane.sent('permission')).toEqual([
      { kind: 'permission', requestId: 'r1', decision: 'deny', reason: 'not 1 but 2' },
    ]);
  });

  it('offers no rule for the session where there is none', async () => {
    const asked = new SampleLog();
    asked.prompt('Clean up');
    ask(asked, 'ls', 'r1', null);
    pane = await showPane(asked.events);
    expect(button('Allow for session').hasAttribute('disabled')).toBe(true);
  });

  it('stands first of several, which can be stepped through', async () => {
    const asked = asking();
    ask(asked, 'git push', 'r2');
    pane = await showPane(asked.events);
    expect(within(card()).getByText('1 of 2')).toBeTruthy();
    fireEvent.click(button('Next request'));
    expect(command()).toBe('git push');
    fireEvent.click(button('Allow'));
    expect(await pane.sent('permission')).toMatchObject([{ requestId: 'r2', decision: 'allow' }]);
    pane.tell(() => asked.answered('r2', 'allow'));
    await waitFor(() => expect(command()).toBe('rm -rf build'));
  });

  it('that is answered gives the focus back to the composer', async () => {
    const asked = asking();
    pane = await showPane(asked.events);
    await waitFor(() => expect(document.activeElement).toBe(card()));
    later(400);
    press('1');
    await pane.sent('permission');
    pane.tell(() => asked.answered('r1', 'allow'));
    await waitFor(() => expect(document.activeElement).toBe(composer()));
  });

  it('that was answered elsewhere says by whom and goes', async () => {
    const asked = asking();
    pane = await showPane(asked.events);
    act(() => pane.host.viewedBy([{ clientId: OTHER_CLIENT, name: 'Command line' }]));
    pane.tell(() => asked.answered('r1', 'deny', 'no', OTHER_CLIENT));
    expect(await screen.findByText('Bash was denied by Command line')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Allow' })).toBe(null);
    pane.tell(() => ask(asked, 'ls', 'r2'));
    await screen.findByRole('button', { name: 'Allow' });
    pane.tell(() => asked.answered('r2', 'allow', null, 'somebody-long-gone'));
    expect(await screen.findByText('Bash was allowed elsewhere')).toBeTruthy();
  });

  it('cannot be answered while there is no connection, and says why', async () => {
    pane = await showPane(asking().events);
    act(() => useWindow.setState({ connection: { is: 'lost', since: 0, reason: 'the engine is away' } }));
    expect(button('Allow').hasAttribute('disabled')).toBe(true);
    expect(screen.getByText(/Not connected to the engine/)).toBeTruthy();
  });

  it('that asks the user a question is answered with what was chosen', async () => {
    const asked = new SampleLog();
    asked.prompt('Ask me');
    const options = [
      { label: 'Red', description: '' },
      { label: 'Blue', description: 'The sea' },
    ];
    const input = { questions: [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }] };
    const toolUseId = asked.tool('AskUserQuestion', input);
    asked.append(
      newEvent('run:permission', 'asked', {
        requestId: 'q',
        toolName: 'AskUserQuestion',
        input,
        toolUseId,
        sessionRule: null,
        title: null,
        reason: null,
      }),
    );
    pane = await showPane(asked.events);
    fireEvent.click(screen.getByRole('radio', { name: /Blue/ }));
    fireEvent.submit(screen.getByRole('radio', { name: /Blue/ }).closest('form') ?? document.body);
    expect(await pane.sent('permission')).toEqual([
      {
        kind: 'permission',
        requestId: 'q',
        decision: 'allow',
        reason: null,
        updatedInput: { ...input, answers: { 'Which colour?': 'Blue' } },
      },
    ]);
  });

  it('of an MCP server is a form, and its fields are the answer', async () => {
    const asked = new SampleLog();
    asked.prompt('Book it');
    const properties = {
      name: { type: 'string', title: 'Your name' },
      seats: { type: 'integer' },
      window: { type: 'boolean' },
      class: { type: 'string', enum: ['first', 'second'] },
      note: { type: 'string' },
    };
    const input = {
      serverName: 'trains',
      message: 'For whom?',
      requestedSchema: { type: 'object', properties, required: ['name'] },
    };
    const request = { requestId: 'e', toolName: 'mcp__trains', input, toolUseId: null, sessionRule: null };
    asked.append(newEvent('run:permission', 'asked', { ...request, title: 'trains asks', reason: 'For whom?' }));
    pane = await showPane(asked.events);
    expect(screen.getByRole('region', { name: 'trains asks you' })).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Your name'), { target: { value: 'Ada' } });
    fireEvent.change(screen.getByLabelText('seats'), { target: { value: '2' } });
    fireEvent.click(screen.getByLabelText('window'));
    fireEvent.change(screen.getByLabelText('class'), { target: { value: 'second' } });
    fireEvent.submit(screen.getByLabelText('Your name').closest('form') ?? document.body);
    const updatedInput = { name: 'Ada', seats: 2, window: true, class: 'second' };
    expect(await pane.sent('permission')).toEqual([
      { kind: 'permission', requestId: 'e', decision: 'allow', reason: null, updatedInput },
    ]);
  });
});
