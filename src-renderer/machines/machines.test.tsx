import { fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MachineId } from '../../src-shared/ids.ts';
import type { PairingState } from '../../src-shared/machines.ts';
import type { ParamsOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { runCommand } from '../commands.ts';
import { useWindow } from '../store.ts';
import { MACHINE, machine, ScriptedHost } from '../testing/scripted-host.ts';
import { openWindow, settle } from '../testing/window.tsx';

// What goes on inside a pane is tried beside it; xterm's grapheme tables take for ever to load in happy-dom.
vi.mock('../terminal/terminal-pane.tsx', () => ({ TerminalPane: () => <p>a terminal</p> }));
vi.mock('../claude/claude-pane.tsx', () => ({ ClaudePane: () => <p>a conversation</p> }));

const DESKTOP = MachineId.parse('0198f000-0000-7000-8000-00000000cccc');
const SERVER = MachineId.parse('0198f000-0000-7000-8000-00000000dddd');
const CODE = '7KQ2M-9XVTB-0H3WD-PZ6RN-4YCG8J';
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

let host: ScriptedHost;
let close: () => void = () => {};

beforeEach(() => {
  host = new ScriptedHost();
  host.answers['pairing.offer'] = ({ rights }) => {
    const joinText = `${CODE}@192.168.1.20:7474`;
    const expiresAt = new Date(Date.now() + 300_000).toISOString();
    tell({ is: 'offering', code: CODE, joinText, expiresAt, rights });
    return { code: CODE, address: '192.168.1.20:7474', joinText, expiresAt };
  };
  host.answers['relay.start'] = () => host.machines.relay;
});
afterEach(() => close());

const called = (operation: string) => host.calls.filter((call) => call.operation === operation).map(({ params }) => params);
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const press = (name: string | RegExp) => fireEvent.click(button(name));

function tell(state: PairingState): void {
  host.send({ type: 'pairing:changed', state });
}

/** Three machines: this one, one that is there, one that was. */
function several(): void {
  host.machines = {
    ...host.machines,
    workspace: { id: 'w', createdAt: hoursAgo(100), keys: 'plain' },
    machines: [
      machine({ machineId: MACHINE, name: 'laptop', self: true, sessions: 1 }),
      machine({ machineId: DESKTOP, name: 'desktop', sessions: 2 }),
      machine({ machineId: SERVER, name: 'server', online: false, state: 'quit', lastSeen: hoursAgo(3), rights: 'view' }),
    ],
    relay: { ...host.machines.relay, url: 'ws://127.0.0.1:7474', state: 'live' },
  };
}

const remote = {
  machine: 'desktop',
  machineId: DESKTOP,
  remote: { connection: 'live', behindBytes: null, heardAt: null, historyComplete: true },
} as const;

async function showCode(): Promise<void> {
  close = await openWindow(host);
  press('Add a machine');
  fireEvent.click(await screen.findByRole('button', { name: 'Show a code' }));
  await screen.findByRole('timer');
}

describe('adding a machine', () => {
  it('takes rights and a place to meet, and shows the code as words, as a picture and as a command', async () => {
    await showCode();
    expect(called('relay.start')).toEqual([{ host: '0.0.0.0' }]);
    expect(called('pairing.offer')).toEqual([{ rights: 'start' }]);
    const dialog = screen.getByRole('dialog', { name: 'Add a machine' });
    expect(dialog.textContent).toContain(CODE);
    expect(within(dialog).getByRole('img', { name: 'The code as a picture' })).toBeTruthy();
    expect(within(dialog).getByText(`baton join ${CODE}@192.168.1.20:7474`)).toBeTruthy();
    expect(screen.getByRole('timer').textContent).toMatch(/Good for one machine, (5:00|4:5\d) more/);
  });

  it('asks again where to meet while nobody has joined', async () => {
    host.machines = {
      ...host.machines,
      workspace: { id: 'w', createdAt: hoursAgo(1), keys: 'plain' },
      machines: [machine({ machineId: MACHINE, name: 'laptop', self: true })],
      relay: { ...host.machines.relay, url: 'ws://127.0.0.1:7474', state: 'live' },
    };
    close = await openWindow(host);
    press('Add a machine');
    fireEvent.click(await screen.findByRole('radio', { name: /in the local network/ }));
    press('Show a code');
    await settle(() => called('pairing.offer').length > 0);
    expect(called('relay.start')).toEqual([{ host: '0.0.0.0' }]);
  });

  it('meets at a relay elsewhere once its address is one', async () => {
    close = await openWindow(host);
    press('Add a machine');
    fireEvent.click(await screen.findByRole('radio', { name: /At a relay elsewhere/ }));
    press('Show a code');
    expect(await screen.findByText(/Enter the relay's address/)).toBeTruthy();
    fireEvent.change(screen.getByRole('textbox', { name: 'Address of the relay' }), {
      target: { value: ' wss://relay.example.org ' },
    });
    press('Show a code');
    await settle(() => called('pairing.offer').length > 0);
    expect(called('pairing.offer')).toEqual([{ rights: 'start', relay: 'wss://relay.example.org' }]);
    expect(called('relay.start')).toEqual([]);
  });

  it('[view-2] asks whether six digits match, and lets in after Confirm', async () => {
    host.answers['pairing.confirm'] = (): ParamsOf<'pairing.cancel'> => {
      tell({ is: 'done', machine: { machineId: DESKTOP, name: 'desktop' } });
      return {};
    };
    await showCode();
    tell({ is: 'compare', digits: '482913', machine: { machineId: DESKTOP, name: 'desktop' }, rights: 'type', side: 'member' });
    const dialog = await screen.findByRole('dialog', { name: 'Do they match?' });
    expect(within(dialog).getByText('Check digits 4 8 2 9 1 3')).toBeTruthy();
    // Enter, pressed too early, must not let anybody in.
    expect(document.activeElement).not.toBe(button('Confirm'));
    press('Confirm');
    expect(await screen.findByRole('dialog', { name: 'desktop is one of your machines' })).toBeTruthy();
    expect(called('pairing.confirm')).toEqual([{ digits: '482913' }]);
    press('Done');
    await settle(() => screen.queryByRole('dialog') === null);
    expect(called('pairing.cancel')).toEqual([]);
    expect(called('pairing.decline')).toEqual([]);
  });

  it('lets nobody in when the digits differ, and gives up a code that nobody waits for', async () => {
    await showCode();
    tell({ is: 'compare', digits: '482913', machine: null, rights: 'start', side: 'member' });
    fireEvent.click(await screen.findByRole('button', { name: 'They differ' }));
    await settle(() => called('pairing.decline').length > 0);
    expect(called('pairing.confirm')).toEqual([]);
    tell({ is: 'none' });
    press('Add a machine');
    fireEvent.click(await screen.findByRole('button', { name: 'Show a code' }));
    await screen.findByRole('timer');
    fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' });
    await settle(() => called('pairing.cancel').length > 0);
  });

  it('says what went wrong and the way on, and begins again', async () => {
    await showCode();
    tell({ is: 'failed', reason: 'The code has expired.', hint: 'Show a new one.' });
    expect(await screen.findByText('The code has expired.')).toBeTruthy();
    expect(screen.getByText('Show a new one.')).toBeTruthy();
    press('Try again');
    host.answers['pairing.offer'] = () => {
      throw new RefusalError('not-ready', 'The relay does not answer.', 'See whether it runs.');
    };
    fireEvent.click(await screen.findByRole('button', { name: 'Show a code' }));
    expect(await screen.findByText('The relay does not answer. See whether it runs.')).toBeTruthy();
  });
});

describe('joining', () => {
  it('takes the code as it was pasted, shows the digits, and leaves the answer to the other machine', async () => {
    close = await openWindow(host);
    runCommand('machines.join');
    fireEvent.change(await screen.findByRole('textbox', { name: 'Code' }), { target: { value: `  ${CODE.toLowerCase()} ` } });
    press('Join');
    await settle(() => called('pairing.join').length > 0);
    expect(called('pairing.join')).toEqual([{ code: CODE.toLowerCase() }]);
    tell({ is: 'compare', digits: '000042', machine: null, rights: null, side: 'newcomer' });
    await screen.findByRole('dialog', { name: 'Do they match?' });
    expect(screen.getByText('Check digits 0 0 0 0 4 2')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Confirm' })).toBeNull();
    press('Cancel');
    await settle(() => called('pairing.cancel').length > 0);
  });

  it('says why a code was not taken, at the code', async () => {
    host.answers['pairing.join'] = () => {
      throw new RefusalError('bad-request', 'That is not a code.', 'It has 26 letters and digits.');
    };
    close = await openWindow(host);
    runCommand('machines.join');
    const code = await screen.findByRole('textbox', { name: 'Code' });
    fireEvent.change(code, { target: { value: 'nonsense' } });
    press('Join');
    await settle(() => code.getAttribute('aria-invalid') === 'true');
    expect(screen.getByText('That is not a code. It has 26 letters and digits.')).toBeTruthy();
  });
});

describe('several machines', () => {
  it('[view-1] are listed with how they stand in words, and sessions say on which one they run', async () => {
    several();
    host.add({ title: 'here' });
    host.add({ title: 'there', ...remote });
    close = await openWindow(host);
    const machines = await screen.findByRole('list', { name: 'Machines' });
    expect(
      within(machines)
        .getAllByRole('listitem')
        .map((item) => item.textContent),
    ).toEqual(['laptopthis machine1 session', 'desktoponline1 session', 'serverlast seen 3 h ago0 sessions']);
    const rows = within(screen.getByRole('list', { name: 'Sessions' }));
    expect(within(rows.getByRole('button', { name: /there/ })).getByText('desktop')).toBeTruthy();
    expect(within(rows.getByRole('button', { name: /here baton/ })).queryByText('laptop')).toBeNull();
    press('Group by project');
    press('Group by machine');
    expect(screen.getAllByRole('button', { expanded: true }).map((heading) => heading.textContent)).toEqual([
      'laptop1',
      'desktop1',
      'Machines3',
    ]);
  });

  it('[machine-10] are not known of while this one is not connected', async () => {
    several();
    const [laptop, desktop] = host.machines.machines;
    if (laptop === undefined || desktop === undefined) throw new Error('there are two');
    host.machines.machines = [
      { ...laptop, online: false },
      { ...desktop, online: false, state: 'unknown', lastSeen: hoursAgo(1) },
    ];
    close = await openWindow(host);
    const rows = within(await screen.findByRole('list', { name: 'Machines' })).getAllByRole('listitem');
    expect(rows.map(({ textContent }) => textContent)).toEqual([
      'laptopnot connected0 sessions',
      'desktopseen 1 h ago0 sessions',
    ]);
  });

  it('follow what is told of them', async () => {
    close = await openWindow(host);
    expect(screen.queryByRole('list', { name: 'Machines' })).toBeNull();
    several();
    host.send({ type: 'machines:changed', ...host.machines });
    expect(await screen.findByRole('list', { name: 'Machines' })).toBeTruthy();
  });

  it('can be revoked once one has read what that means', async () => {
    several();
    close = await openWindow(host);
    runCommand('machines.show');
    fireEvent.keyDown(await screen.findByRole('button', { name: 'More about desktop' }), { key: 'Enter' });
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Revoke…' }));
    const dialog = await screen.findByRole('dialog', { name: 'Revoke desktop?' });
    expect(dialog.textContent).toContain('cut off at once');
    fireEvent.click(within(dialog).getByRole('button', { name: 'Revoke' }));
    await settle(() => called('machines.revoke').length > 0);
    expect(called('machines.revoke')).toEqual([{ machineId: DESKTOP }]);
  });

  it('are changed only by a machine that may', async () => {
    several();
    host.machines.machines[0] = machine({ machineId: MACHINE, name: 'laptop', self: true, rights: 'type' });
    close = await openWindow(host);
    runCommand('machines.show');
    expect(await screen.findByText(/may not change the others/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Add a machine' })).toBeNull();
    expect(screen.queryByRole('combobox', { name: 'Rights of desktop' })).toBeNull();
  });

  it('run a relay that one switches on and off', async () => {
    several();
    close = await openWindow(host);
    runCommand('machines.show');
    fireEvent.click(await screen.findByRole('switch', { name: 'Run the relay on this machine' }));
    await settle(() => called('relay.start').length > 0);
    const embedded = { running: true, url: 'ws://127.0.0.1:7474', address: '192.168.1.20:7474' };
    host.send({ type: 'machines:changed', ...host.machines, relay: { ...host.machines.relay, embedded } });
    expect(await screen.findByText('192.168.1.20:7474')).toBeTruthy();
    fireEvent.click(screen.getByRole('switch', { name: 'Run the relay on this machine' }));
    await settle(() => called('relay.stop').length > 0);
  });
});

describe('a session of another machine', () => {
  it('[view-1] says above itself where it runs, by what road and how old it is', async () => {
    several();
    const heardAt = hoursAgo(2);
    const session = host.add({
      title: 'there',
      ...remote,
      remote: { connection: 'live', behindBytes: null, heardAt, historyComplete: false },
    });
    close = await openWindow(host);
    fireEvent.click(within(screen.getByRole('list', { name: 'Sessions' })).getByRole('button', { name: /there/ }));
    const bar = await screen.findByRole('region', { name: 'Where this session runs' });
    expect(bar.textContent).toBe('on desktop · via relay · 2 h agoOlder history is loading');
    host.change(session.runId, { remote: { connection: 'away', behindBytes: null, heardAt, historyComplete: true } });
    await settle(() => bar.textContent === 'on desktop · away · 2 h ago');
    host.change(session.runId, { remote: { connection: 'forked', behindBytes: null, heardAt, historyComplete: true } });
    await settle(() => bar.textContent === 'on desktop · followed no more · 2 h ago');
    host.machines.relay.lan = true;
    host.send({ type: 'machines:changed', ...host.machines });
    host.change(session.runId, { remote: { connection: 'behind', behindBytes: 3_412_345, heardAt, historyComplete: true } });
    await settle(() => bar.textContent?.endsWith('behind, 3.4 MB') === true);
    host.change(session.runId, { remote: { connection: 'behind', behindBytes: null, heardAt, historyComplete: true } });
    await settle(() => bar.textContent === 'on desktop · local network · 2 h agocatching up');
  });

  it('is not above one that runs here', async () => {
    several();
    host.add({ title: 'here' });
    close = await openWindow(host);
    fireEvent.click(within(screen.getByRole('list', { name: 'Sessions' })).getByRole('button', { name: /here/ }));
    await screen.findByText('a terminal');
    expect(screen.queryByRole('region', { name: 'Where this session runs' })).toBeNull();
  });
});

describe('a session that is not sent', () => {
  it('[replica-18] says so in the list, and above itself why', async () => {
    several();
    const session = host.add({ title: 'stuck', unsent: 'Another machine holds it.' });
    close = await openWindow(host);
    fireEvent.click(screen.getByRole('button', { name: /stuck.*Not sent to your other machines/ }));
    const bar = await screen.findByRole('region', { name: 'Not sent to your other machines' });
    expect(bar.textContent).toBe('Not sent to your other machines. Another machine holds it.');
    host.change(session.runId, { unsent: null });
    await settle(() => !bar.isConnected);
  });
});

describe('a session that may only be looked at', () => {
  it('[view-6] says so above itself, and cannot be ended from its menu', async () => {
    several();
    Object.assign(host.machines.machines[1] ?? {}, { may: 'view' });
    host.add({ title: 'there', kind: 'claude', ...remote });
    close = await openWindow(host);
    const row = within(screen.getByRole('list', { name: 'Sessions' })).getByRole('button', { name: /there/ });
    fireEvent.click(row);
    const bar = await screen.findByRole('region', { name: 'Where this session runs' });
    const badge = within(bar).getByText('view only');
    expect(badge.title).toBe('desktop lets other machines look, and no more. Its settings say so.');
    fireEvent.contextMenu(row);
    expect(await screen.findByRole('menuitem', { name: 'Copy session id' })).toBeTruthy();
    for (const name of ['Close session', 'Fork conversation']) expect(screen.queryByRole('menuitem', { name })).toBeNull();
    fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' });
    host.machines.machines[0] = machine({ machineId: MACHINE, name: 'laptop', self: true, rights: 'view' });
    host.send({ type: 'machines:changed', ...host.machines });
    await settle(() => within(bar).getByText('view only').title.startsWith('This machine may only look'));
    host.send({ type: 'machines:changed', ...host.machines, machines: host.machines.machines.slice(0, 1) });
    await settle(() => within(bar).getByText('view only').title.startsWith('desktop and this machine do not belong together'));
    fireEvent.contextMenu(row);
    expect(await screen.findByRole('menuitem', { name: 'Delete…' })).toBeTruthy();
    fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' });
    host.machines.machines[1] = machine({ machineId: DESKTOP, name: 'desktop' });
    host.send({ type: 'machines:changed', ...host.machines });
    await settle(() => within(bar).queryByText('view only') === null);
    fireEvent.contextMenu(row);
    expect(await screen.findByRole('menuitem', { name: 'Fork conversation' })).toBeTruthy();
  });
});

describe('who follows a session', () => {
  it('[follow-1] [follow-3] is shown with a switch for each machine', async () => {
    several();
    const session = host.add({ title: 'there', ...remote, followers: [DESKTOP], followed: false });
    close = await openWindow(host);
    fireEvent.click(within(screen.getByRole('list', { name: 'Sessions' })).getByRole('button', { name: /there/ }));
    fireEvent.click(await screen.findByRole('button', { name: 'Not followed on this machine' }));
    const isOn = (name: string) =>
      screen.getByRole('switch', { name: `${name} follows this session` }).getAttribute('aria-checked');
    expect(['laptop', 'desktop', 'server'].map(isOn)).toEqual(['false', 'true', 'false']);
    fireEvent.click(screen.getByRole('switch', { name: 'server follows this session' }));
    await settle(() => called('session.follow').length > 0);
    expect(called('session.follow')).toEqual([{ runId: session.runId, follows: true, machineId: SERVER }]);
    host.change(session.runId, { followers: [MACHINE, DESKTOP, SERVER], followed: true });
    await settle(() => isOn('laptop') === 'true' && isOn('server') === 'true');
  });

  it('[follow-3] is changed for this machine in the menu of the session', async () => {
    several();
    const session = host.add({ title: 'there', ...remote });
    close = await openWindow(host);
    fireEvent.contextMenu(within(screen.getByRole('list', { name: 'Sessions' })).getByRole('button', { name: /there/ }));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Unfollow on this machine' }));
    await settle(() => called('session.follow').length > 0);
    expect(called('session.follow')).toEqual([{ runId: session.runId, follows: false }]);
  });

  it('[follow-1] is not counted among what needs the user while it is not followed', async () => {
    several();
    const session = host.add({ title: 'there', ...remote, status: 'waiting', permissions: 1, followed: false });
    close = await openWindow(host);
    const status = () => screen.getByRole('region', { name: 'Status' });
    expect(within(status()).queryByText(/needs you/)).toBeNull();
    expect(document.title).toBe('Baton');
    host.change(session.runId, { followed: true });
    expect(await within(status()).findByText(/needs you/)).toBeTruthy();
    expect(document.title).toBe('(1) Baton');
  });
});

describe('a session to be started', () => {
  it('[view-5] cannot be started on a machine that is not there', async () => {
    several();
    close = await openWindow(host);
    const machines = await screen.findByRole('list', { name: 'Machines' });
    fireEvent.contextMenu(within(machines).getByRole('button', { name: /server/ }));
    expect(await screen.findByRole('menuitem', { name: 'Revoke…' })).toBeTruthy();
    expect(screen.queryByRole('menuitem', { name: 'New terminal on server' })).toBeNull();
  });

  it('[view-5] begins on the machine whose menu was used', async () => {
    several();
    close = await openWindow(host);
    const machines = await screen.findByRole('list', { name: 'Machines' });
    fireEvent.contextMenu(within(machines).getByRole('button', { name: /desktop/ }));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'New Claude session on desktop' }));
    await screen.findByRole('dialog', { name: 'Start a Claude session' });
    expect(useWindow.getState().overlay).toEqual({ is: 'newClaude', machineId: DESKTOP });
    expect(screen.getByRole('combobox', { name: 'Machine' }).textContent).toBe('desktop');
    host.answers['files.complete'] = () => ({ paths: [{ path: 'api', isFolder: true }], more: false });
    fireEvent.change(screen.getByRole('textbox', { name: 'Folder' }), { target: { value: '~/code/a' } });
    fireEvent.click(await screen.findByRole('button', { name: '~/code/api' }));
    expect(called('files.complete').at(-1)).toEqual({ cwd: '~/code', query: 'a', limit: 20, machineId: DESKTOP });
    press('Start');
    await settle(() => called('session.create').length > 0);
    expect(called('session.create')[0]).toMatchObject({ machineId: DESKTOP, spec: { kind: 'claude', cwd: '~/code/api' } });
  });
});
