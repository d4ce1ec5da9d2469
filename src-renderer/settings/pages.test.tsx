import { fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusalError } from '../../src-shared/refusal.ts';
import { runCommand } from '../commands.ts';
import { ScriptedHost } from '../testing/scripted-host.ts';
import { openWindow, settle } from '../testing/window.tsx';

// Fetched ahead by every window; xterm's grapheme tables take for ever to load in happy-dom.
vi.mock('../terminal/terminal-pane.tsx', () => ({ TerminalPane: () => null }));

let host: ScriptedHost;
let close: () => void = () => {};

beforeEach(() => {
  host = new ScriptedHost();
});
afterEach(() => close());

const called = (operation: string) => host.calls.filter((call) => call.operation === operation).map(({ params }) => params);

async function openPage(command: 'settings.show' | 'help.shortcuts' | 'find.everywhere', search: string): Promise<HTMLElement> {
  close = await openWindow(host);
  runCommand(command);
  return screen.findByRole('searchbox', { name: search });
}

describe('the settings page', () => {
  it('stores what is changed at once, and a text when one leaves it', async () => {
    await openPage('settings.show', 'Search settings');
    fireEvent.click(screen.getByRole('switch', { name: 'Cursor blinks' }));
    const shell = screen.getByRole('textbox', { name: 'Shell' });
    fireEvent.change(shell, { target: { value: ' /bin/fish ' } });
    await settle(() => called('settings.set').length > 0);
    expect(called('settings.set')).toEqual([{ changes: { 'terminal.cursorBlink': true } }]);
    fireEvent.blur(shell);
    const words = screen.getByRole('textbox', { name: 'Shell arguments' });
    fireEvent.change(words, { target: { value: '-l "two words"' } });
    fireEvent.keyDown(words, { key: 'Enter' });
    await settle(() => host.settings['terminal.shellArgs'].length === 2);
    expect(host.settings).toMatchObject({
      'terminal.cursorBlink': true,
      'terminal.shell': '/bin/fish',
      'terminal.shellArgs': ['-l', 'two words'],
    });
  });

  it('says what may be entered, and what the engine refuses, at the setting itself', async () => {
    await openPage('settings.show', 'Search settings');
    const size = screen.getByRole('spinbutton', { name: 'Font size' });
    fireEvent.change(size, { target: { value: '500' } });
    fireEvent.blur(size);
    expect(await screen.findByText('From 6 to 72.')).toBeTruthy();
    expect(called('settings.set')).toEqual([]);
    host.answers['settings.set'] = () => {
      throw new RefusalError('failed', 'settings.json is not valid JSON.', 'Mend it first.');
    };
    fireEvent.click(screen.getByRole('switch', { name: 'Copy on select' }));
    expect(await screen.findByText(/settings\.json is not valid JSON\. Mend it first\./)).toBeTruthy();
    expect(screen.getByRole('switch', { name: 'Copy on select' }).getAttribute('aria-checked')).toBe('false');
  });

  it('names what is wrong in the file', async () => {
    host.answers['settings.get'] = () => ({
      settings: host.settings,
      path: '/home/ada/.config/baton/settings.json',
      problems: ['terminal.fontSize: must be at least 6'],
    });
    await openPage('settings.show', 'Search settings');
    expect(await screen.findByText('terminal.fontSize: must be at least 6')).toBeTruthy();
  });

  it('finds a setting by its name, its help or its key', async () => {
    const search = await openPage('settings.show', 'Search settings');
    fireEvent.change(search, { target: { value: 'osc' } });
    expect(screen.getByText('No setting matches.')).toBeTruthy();
    fireEvent.change(search, { target: { value: 'outputQuotaMbTotal' } });
    expect(screen.getByRole('spinbutton', { name: 'Terminal output kept in all' })).toBeTruthy();
    expect(screen.queryByRole('switch')).toBeNull();
  });

  it('takes an API key and never shows one', async () => {
    host.answers['claude.setApiKey'] = ({ apiKey }) => ({ stored: apiKey === null ? 'none' : 'plain' });
    await openPage('settings.show', 'Search settings');
    const field = screen.getByLabelText('API key');
    expect(field.getAttribute('type')).toBe('password');
    await settle(() => screen.queryByText('No key is kept.') !== null);
    fireEvent.change(field, { target: { value: 'sk-secret' } });
    // Without a key ring it takes the user's word first.
    expect(screen.getByRole('button', { name: 'Keep key' })).toHaveProperty('disabled', true);
    fireEvent.click(screen.getByRole('switch', { name: 'Keep it in a plain file' }));
    fireEvent.click(screen.getByRole('button', { name: 'Keep key' }));
    expect(await screen.findByText('A key is kept in a file of yours, not encrypted.')).toBeTruthy();
    expect(called('claude.setApiKey')).toEqual([{ apiKey: 'sk-secret', allowPlain: true }]);
    expect(field).toHaveProperty('value', '');
    expect(document.body.innerHTML).not.toContain('sk-secret');
  });
});

describe('the shortcuts page', () => {
  it('shows a clash before it is made, and gives the keys', async () => {
    host.answers['keybindings.set'] = ({ command, keys }) => ({ bindings: (keys ?? []).map((key) => ({ key, command })) });
    await openPage('help.shortcuts', 'Find a command or a key');
    fireEvent.click(screen.getByRole('button', { name: 'Add a key for “Restart session”' }));
    const capture = screen.getByRole('application', { name: 'Press the keys for “Restart session”' });
    fireEvent.keyDown(capture, { key: 'T', code: 'KeyT', ctrlKey: true, shiftKey: true });
    expect(screen.getByText('Also bound to: New terminal. What is bound last wins.')).toBeTruthy();
    expect(called('session.create')).toEqual([]);
    fireEvent.keyDown(capture, { key: 'F9', code: 'F9' });
    expect(screen.queryByText(/Also bound to: New terminal\. /)).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Use these' }));
    expect(await screen.findByRole('button', { name: 'Remove F9 from “Restart session”' })).toBeTruthy();
    expect(called('keybindings.set')).toEqual([{ command: 'session.restart', keys: ['f9'] }]);
  });

  it('finds a command by its keys', async () => {
    const search = await openPage('help.shortcuts', 'Find a command or a key');
    fireEvent.change(search, { target: { value: 'ctrl+shift+d' } });
    expect(screen.getAllByRole('listitem').map((item) => item.firstChild?.textContent)).toEqual(['Split right']);
  });
});

describe('the search page', () => {
  it('gathers what was found by session, and shows older ones on demand', async () => {
    const [one, two] = [host.add({ title: 'first' }), host.add({ title: 'second' })];
    const hit = (runId: (typeof one)['runId'], seq: number) => ({
      runId,
      seq: seq as (typeof one)['lastSeq'],
      ts: 1,
      channel: 'pty:stdout',
      before: 'see the ',
      match: 'needle',
      after: ' here',
    });
    host.answers['history.search'] = ({ cursor }) =>
      cursor === undefined
        ? { hits: [hit(two.runId, 9), hit(one.runId, 5), hit(two.runId, 3)], cursor: 'more' }
        : { hits: [hit(one.runId, 1)], cursor: null };
    const search = await openPage('find.everywhere', 'Find in all sessions');
    fireEvent.change(search, { target: { value: 'needle' } });
    const more = await screen.findByRole('button', { name: 'Show older ones' });
    const headings = () => screen.getAllByRole('heading', { level: 2 }).map((heading) => heading.textContent);
    expect(headings()).toEqual(['second2 places', 'first1 place']);
    fireEvent.click(more);
    await settle(() => screen.queryByRole('button', { name: 'Show older ones' }) === null);
    expect(headings()).toEqual(['second2 places', 'first2 places']);
    expect(within(screen.getByRole('region', { name: 'Find in all sessions' })).getAllByText('needle')).toHaveLength(4);
  });
});
