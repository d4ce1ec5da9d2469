import { fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusalError } from '../src-shared/refusal.ts';
import { useWindow } from './store.ts';
import { ScriptedHost } from './testing/scripted-host.ts';
import { openWindow, settle, THIS_CLIENT } from './testing/window.tsx';

// What goes on inside a pane is tried beside it; xterm's grapheme tables take for ever to load in happy-dom.
vi.mock('./terminal/terminal-pane.tsx', () => ({ TerminalPane: () => <p>a terminal</p> }));
vi.mock('./claude/claude-pane.tsx', () => ({ ClaudePane: () => <p>a conversation</p> }));

let host: ScriptedHost;
let close: (() => void) | null = null;

beforeEach(() => {
  host = new ScriptedHost();
});
afterEach(() => {
  close?.();
  close = null;
});

const list = () => screen.getByRole('list', { name: 'Sessions' });
const row = (title: RegExp) => within(list()).getByRole('button', { name: title });
const heading = (name: RegExp) => screen.getByRole('button', { name, expanded: true });
const regions = () => screen.queryAllByRole('region').map((region) => region.getAttribute('aria-label'));
const press = (key: string, over: KeyboardEventInit = {}) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key, code: `Key${key.toUpperCase()}`, ...over });
const ctrlShift = { ctrlKey: true, shiftKey: true };
const called = (operation: string) => host.calls.filter((call) => call.operation === operation);
const saved = () => host.layouts.get(THIS_CLIENT) as { dock: { panels: Record<string, unknown> } | null } | undefined;

describe('the sidebar', () => {
  it('lists sessions with their state in words and follows what happens to them', async () => {
    const session = host.add({ title: 'api-refactor', kind: 'claude', status: 'running' });
    close = await openWindow(host);
    expect(within(row(/api-refactor/)).getByRole('img', { name: 'Working' })).toBeTruthy();
    host.change(session.runId, { status: 'waiting', permissions: 1 });
    await settle(() => within(list()).queryByText('permission') !== null);
    expect(within(row(/api-refactor/)).getByRole('img', { name: 'Needs you' })).toBeTruthy();
    expect(document.title).toBe('(1) Baton');
  });

  it('holds sessions and nothing else, and draws only those one can see', async () => {
    for (let count = 0; count < 300; count++) host.add({ title: `session ${count}`, status: count % 2 ? 'idle' : 'running' });
    close = await openWindow(host);
    const items = within(list()).getAllByRole('listitem');
    expect(items.length).toBeLessThan(100);
    expect(items.every((item) => item.querySelector('[data-run-id]') !== null)).toBe(true);
    expect(items.map((item) => item.getAttribute('aria-posinset'))).toEqual(items.map((_, index) => String(index + 1)));
    expect(items[0]?.getAttribute('aria-setsize')).toBe('300');
  });

  it('filters by every word', async () => {
    host.add({ title: 'one', cwd: '/srv/alpha' });
    host.add({ title: 'two', cwd: '/srv/beta' });
    close = await openWindow(host);
    fireEvent.change(screen.getByRole('searchbox', { name: 'Filter sessions' }), { target: { value: 'BETA' } });
    expect(within(list()).queryByText('one')).toBeNull();
    expect(within(list()).getByText('two')).toBeTruthy();
  });

  it('is walked with the arrow keys and has one tab stop', async () => {
    host.add({ title: 'first' });
    host.add({ title: 'second', status: 'ended' });
    close = await openWindow(host);
    const stops = () =>
      [...document.querySelectorAll('[data-session-list] [tabindex="0"]')].map((element) => element.textContent);
    expect(stops()).toEqual(['Working1']);
    heading(/^Working/).focus();
    fireEvent.keyDown(heading(/^Working/), { key: 'End' });
    expect(stops()).toEqual(['Ended1']);
  });
});

describe('panes', () => {
  it('open from the sidebar, are regions named by their session, and close when it is deleted', async () => {
    const session = host.add({ title: 'zsh in baton' });
    close = await openWindow(host);
    fireEvent.click(row(/zsh in baton/));
    await settle(() => regions().includes('zsh in baton'));
    host.change(session.runId, { title: 'renamed' });
    await settle(() => regions().includes('renamed'));
    expect(screen.getByRole('tab', { name: 'renamed' })).toBeTruthy();
    host.sessions.delete(session.runId);
    host.send({ type: 'session:removed', runId: session.runId });
    await settle(() => !regions().includes('renamed'));
  });

  it('come with a new terminal in the folder of the pane one is in', async () => {
    host.add({ title: 'here', cwd: '/srv/project' });
    close = await openWindow(host);
    fireEvent.click(row(/here/));
    await settle(() => regions().includes('here'));
    fireEvent.click(screen.getByRole('button', { name: 'New terminal' }));
    await settle(() => regions().includes('zsh'));
    expect(called('session.create')[0]?.params).toMatchObject({ spec: { kind: 'pty', command: null, cwd: '/srv/project' } });
    fireEvent.click(screen.getByRole('button', { name: 'Split right' }));
    await settle(() => called('session.create').length === 2 && regions().filter((name) => name === 'zsh').length === 2);
  });

  it('ask before they close on a session that still runs, and keep it running by default', async () => {
    host.add({ title: 'busy' });
    close = await openWindow(host);
    fireEvent.click(row(/busy/));
    await settle(() => regions().includes('busy'));
    press('W', ctrlShift);
    const keep = await screen.findByRole('button', { name: 'Keep running in background' });
    expect(document.activeElement).toBe(keep);
    fireEvent.click(keep);
    await settle(() => !regions().includes('busy'));
    expect(host.received.some((message) => message.type === 'run:close')).toBe(false);
    expect(within(list()).getByText('busy')).toBeTruthy();
    press('T', { ...ctrlShift, altKey: true });
    await settle(() => regions().includes('busy'));
  });

  it('close without a question when nothing runs', async () => {
    host.add({ title: 'resting', kind: 'claude', status: 'idle' });
    close = await openWindow(host);
    fireEvent.click(row(/resting/));
    await settle(() => regions().includes('resting'));
    press('W', ctrlShift);
    await settle(() => !regions().includes('resting'));
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('say how a session ended and start it again in place', async () => {
    const session = host.add({ title: 'broken build', status: 'ended', exitCode: 1 });
    close = await openWindow(host);
    fireEvent.click(screen.getByRole('button', { name: /^Ended/ }));
    fireEvent.click(row(/broken build/));
    expect(await screen.findByText('Ended with code 1')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Restart' }));
    await settle(() => host.received.some((message) => message.type === 'run:input' && message.input.kind === 'restart'));
    host.change(session.runId, { status: 'running', exitCode: null });
    await settle(() => screen.queryByText('Ended with code 1') === null);
  });
});

describe('the layout', () => {
  it('comes back with its panes, active one and preferences; sessions that are no more are left out', async () => {
    const kept = host.add({ title: 'kept' });
    const gone = host.add({ title: 'gone' });
    close = await openWindow(host);
    fireEvent.click(row(/gone/));
    fireEvent.click(row(/kept/));
    fireEvent.click(screen.getByRole('button', { name: 'Group by project' }));
    await settle(() => Object.keys(saved()?.dock?.panels ?? {}).length === 2);
    close();
    host.sessions.delete(gone.runId);
    host.calls.length = 0;
    close = await openWindow(host);
    await settle(() => regions().includes('kept'));
    expect(screen.queryByRole('tab', { name: 'gone' })).toBeNull();
    expect(useWindow.getState().activeRun).toBe(kept.runId);
    expect(screen.getByRole('button', { name: 'Group by state' })).toBeTruthy();
  });

  it('that is damaged is replaced by a fresh one, and the user is told', async () => {
    host.add({ title: 'still here' });
    host.layouts.set(THIS_CLIENT, { version: 1, dock: 'scrambled' });
    close = await openWindow(host);
    expect(await screen.findByText("The window's layout could not be brought back")).toBeTruthy();
    fireEvent.click(row(/still here/));
    await settle(() => saved()?.dock?.panels !== undefined);
  });

  it('is not overwritten when it could not be read', async () => {
    const stored = { kept: 'as it is' };
    host.layouts.set(THIS_CLIENT, stored);
    host.answers['layout.get'] = () => {
      throw new RefusalError('failed', 'The database is busy.');
    };
    host.add({ title: 'any' });
    close = await openWindow(host);
    expect(await screen.findByText("Could not read the window's layout")).toBeTruthy();
    fireEvent.click(row(/any/));
    await settle(() => regions().includes('any'));
    expect(called('layout.set')).toEqual([]);
    expect(host.layouts.get(THIS_CLIENT)).toBe(stored);
  });
});

describe('the palette', () => {
  it('offers what can be done here, with its keys, and what was done last first', async () => {
    close = await openWindow(host);
    press('P', ctrlShift);
    const palette = await screen.findByRole('dialog', { name: 'Command palette' });
    expect(within(palette).queryByText('Close session')).toBeNull();
    const option = within(palette).getByRole('option', { name: /New Claude session/ });
    expect(option.textContent).toContain('Ctrl+Shift+N');
    fireEvent.change(within(palette).getByRole('combobox'), { target: { value: 'settings' } });
    fireEvent.click(within(palette).getByRole('option', { name: /^Settings/ }));
    await settle(() => regions().includes('Settings'));
    press('P', ctrlShift);
    const again = await screen.findByRole('dialog', { name: 'Command palette' });
    expect(within(again).getAllByRole('option')[0]?.textContent).toContain('Settings');
  });
});

describe('a new Claude session', () => {
  it('says what is missing with one button, and starts as the last one was', async () => {
    host.answers['claude.check'] = () => ({
      state: 'not-signed-in',
      path: '/usr/bin/claude',
      version: null,
      message: 'Nobody is signed in.',
    });
    close = await openWindow(host);
    press('N', ctrlShift);
    expect(await screen.findByText('Nobody is signed in.')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Sign in' })).toBeTruthy();
    fireEvent.change(screen.getByRole('textbox', { name: 'Folder' }), { target: { value: '/srv/work' } });
    fireEvent.submit(screen.getByRole('textbox', { name: 'Folder' }));
    await settle(() => regions().includes('New conversation'));
    expect(called('session.create')[0]?.params).toMatchObject({ spec: { kind: 'claude', cwd: '/srv/work', model: null } });
    expect(useWindow.getState().preferences.newClaude.cwd).toBe('/srv/work');
  });

  it('keeps the dialog open and says why when it is refused', async () => {
    host.answers['session.create'] = () => {
      throw new RefusalError('unknown-target', 'There is no folder /nowhere.', 'Choose another one.');
    };
    close = await openWindow(host);
    press('N', ctrlShift);
    fireEvent.submit(await screen.findByRole('textbox', { name: 'Folder' }));
    expect(await screen.findByText('There is no folder /nowhere. Choose another one.')).toBeTruthy();
  });
});

describe('the connection', () => {
  it('[wire-8] comes back by itself, and the window shows since when it is old', async () => {
    host.add({ title: 'one' });
    close = await openWindow(host);
    host.drop();
    await settle(() => useWindow.getState().connection.is === 'lost');
    expect(screen.getByRole('button', { name: 'New terminal' })).toHaveProperty('disabled', true);
    host.add({ title: 'born meanwhile' });
    host.isDown = false;
    await settle(() => within(list()).queryByText('born meanwhile') !== null);
    expect(useWindow.getState().connection.is).toBe('live');
  });
});

describe('the first start', () => {
  it('asks for a name and is over once it is given', async () => {
    host.settings = { ...host.settings, 'machine.name': '' };
    close = await openWindow(host);
    fireEvent.change(screen.getByRole('textbox', { name: 'Name of this machine' }), { target: { value: 'desk' } });
    fireEvent.click(screen.getByRole('button', { name: 'Done' }));
    expect(await screen.findByText('Nothing runs yet')).toBeTruthy();
    expect(called('settings.set')[0]?.params).toEqual({ changes: { 'machine.name': 'desk' } });
  });
});

describe('the desktop shell', () => {
  it('has its commands run and its sessions shown, and hears what is visible', async () => {
    const session = host.add({ title: 'from the tray' });
    close = await openWindow(host);
    host.send({ type: 'shell:command', command: 'session.show', runId: session.runId });
    await settle(() => regions().includes('from the tray'));
    await settle(() => called('shell.visibleSessions').some(({ params }) => JSON.stringify(params).includes(session.runId)));
    host.send({ type: 'shell:command', command: 'settings.show', runId: null });
    await settle(() => regions().includes('Settings'));
    host.send({ type: 'shell:notice', kind: 'hint', runId: session.runId, title: 'A hint', body: 'Said once.' });
    expect(await screen.findByText('Said once.')).toBeTruthy();
  });
});

describe('notes', () => {
  it('[doc-4] stand in one line above their session, unfold, and are everybody’s', async () => {
    const { runId } = host.add({ title: 'api-refactor' });
    host.answers['notes.get'] = () => ({ text: 'ask Anna first\nthen deploy', version: 1 });
    close = await openWindow(host);
    fireEvent.click(row(/api-refactor/));
    const line = await screen.findByRole('button', { name: 'Notes: ask Anna first' });
    fireEvent.click(line);
    const field = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Notes' });
    expect(document.activeElement).toBe(field());
    host.send({ type: 'notes:changed', runId, text: 'ask Anna first\nthen deploy\nthen sleep', version: 2 });
    await settle(() => field().value.endsWith('then sleep'));
    fireEvent.change(field(), { target: { value: `1. ${field().value}` } });
    await settle(() => called('notes.set').length > 0);
    expect(called('notes.set').at(-1)?.params).toMatchObject({ text: '1. ask Anna first\nthen deploy\nthen sleep' });
    fireEvent.keyDown(field(), { key: 'Escape' });
    expect(await screen.findByRole('button', { name: 'Notes: 1. ask Anna first' })).toBeTruthy();
  });

  it('are nowhere while there are none, and begin in the menu of the session', async () => {
    host.add({ title: 'api-refactor' });
    close = await openWindow(host);
    fireEvent.click(row(/api-refactor/));
    await settle(() => called('notes.get').length > 0);
    expect(screen.queryByRole('button', { name: /^Notes/ })).toBeNull();
    fireEvent.contextMenu(row(/api-refactor/));
    fireEvent.click(await screen.findByRole('menuitem', { name: 'Notes' }));
    expect(await screen.findByRole('textbox', { name: 'Notes' })).toBeTruthy();
  });
});
