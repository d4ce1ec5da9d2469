import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputId } from '../../../src-shared/ids.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { SampleLog, sampleLog } from '../../../src-shared/sim/sample-conversation.ts';
import { onTextChanged } from '../../engine.ts';
import { settle } from '../../testing/window.tsx';
import { button, closePane, composer, press, type ShownPane, showPane, type } from '../testing/pane.tsx';

let pane: ShownPane;

beforeEach(() => localStorage.clear());
afterEach(closePane);

describe('the composer', () => {
  it('sends with Enter and is empty again; Shift+Enter is a new line', async () => {
    pane = await showPane(new SampleLog().created().events);
    type('Hello');
    fireEvent.keyDown(composer(), { key: 'Enter', shiftKey: true });
    expect(pane.host.commands()).toEqual([]);
    fireEvent.keyDown(composer(), { key: 'Enter' });
    expect(await pane.sent('prompt')).toEqual([{ kind: 'prompt', content: { text: 'Hello', images: [] } }]);
    expect(composer().value).toBe('');
    fireEvent.keyDown(composer(), { key: 'Enter' });
    expect(pane.host.commands()).toHaveLength(1);
  });

  it('brings back what was said with ↑ while it is empty', async () => {
    pane = await showPane(sampleLog().events);
    fireEvent.keyDown(composer(), { key: 'ArrowUp' });
    expect(composer().value).toBe('Fail');
    fireEvent.keyDown(composer(), { key: 'ArrowUp' });
    expect(composer().value).toBe('Go on until I stop you');
    fireEvent.keyDown(composer(), { key: 'ArrowDown' });
    fireEvent.keyDown(composer(), { key: 'ArrowDown' });
    expect(composer().value).toBe('');
    type('mine');
    fireEvent.keyDown(composer(), { key: 'ArrowUp' });
    expect(composer().value).toBe('mine');
  });

  it('completes commands with the keyboard alone', async () => {
    const slashCommands = ['compact', 'context', 'clear'].map((name) => ({
      name,
      description: `Does ${name}`,
      argumentHint: '',
    }));
    pane = await showPane(new SampleLog().created().events, (made) => made.changeClaude({ slashCommands }));
    act(() => composer().focus());
    type('/co');
    const options = within(screen.getByRole('listbox', { name: 'Commands' })).getAllByRole('option');
    expect(options.map((option) => option.getAttribute('aria-selected'))).toEqual(['true', 'false']);
    fireEvent.keyDown(composer(), { key: 'ArrowDown' });
    expect(composer().getAttribute('aria-activedescendant')).toBe(screen.getAllByRole('option')[1]?.id);
    fireEvent.keyDown(composer(), { key: 'Tab' });
    expect(composer().value).toBe('/context ');
    expect(screen.queryByRole('listbox')).toBe(null);
    type('/context');
    fireEvent.keyDown(composer(), { key: 'Enter' });
    expect(await pane.sent('prompt')).toMatchObject([{ content: { text: '/context' } }]);
  });

  it('closes the list with Escape, before anything else is closed', async () => {
    const slashCommands = [{ name: 'compact', description: '', argumentHint: '' }];
    const begun = new SampleLog();
    begun.prompt('Work');
    pane = await showPane(begun.events, (made) => made.changeClaude({ slashCommands }));
    act(() => composer().focus());
    type('/co');
    press('Escape');
    expect(screen.queryByRole('listbox')).toBe(null);
    expect(pane.host.commands()).toEqual([]);
    press('Escape');
    expect(await pane.sent('interrupt')).toHaveLength(1);
  });

  it('completes files of the session’s folder', async () => {
    pane = await showPane(new SampleLog().created().events, (made) => {
      made.answers['files.complete'] = ({ query }) => ({ paths: [{ path: `src/${query}.ts`, isFolder: false }], more: false });
    });
    type('see @fence');
    const list = await screen.findByRole('listbox', { name: 'Files' });
    expect(pane.host.calls).toContainEqual({
      operation: 'files.complete',
      params: { cwd: '/home/me/baton', query: 'fence', limit: 20 },
    });
    fireEvent.mouseDown(within(list).getByRole('option'));
    expect(composer().value).toBe('see @src/fence.ts ');
  });

  it('takes pictures that are pasted, shows them, and sends them', async () => {
    pane = await showPane(new SampleLog().created().events);
    const files = [new File([new Uint8Array([65, 65, 65, 65])], 'shot.png', { type: 'image/png' })];
    fireEvent.paste(composer(), { clipboardData: { files, getData: () => '' } });
    const list = await screen.findByRole('list', { name: 'Attached images' });
    expect(within(list).getByRole('img', { name: 'shot.png' })).toBeTruthy();
    fireEvent.keyDown(composer(), { key: 'Enter' });
    expect(await pane.sent('prompt')).toEqual([
      { kind: 'prompt', content: { text: '', images: [{ mediaType: 'image/png', base64: 'QUFBQQ==', name: 'shot.png' }] } },
    ]);
    expect(screen.queryByRole('list', { name: 'Attached images' })).toBe(null);
  });

  it('takes pictures that are dropped anywhere on the pane', async () => {
    pane = await showPane(new SampleLog().created().events);
    const dataTransfer = { types: ['Files'], files: [new File([new Uint8Array(4)], 'dropped.png', { type: 'image/png' })] };
    fireEvent.dragEnter(screen.getByText('New conversation'), { dataTransfer });
    expect(screen.getByText('Drop images to attach them')).toBeTruthy();
    fireEvent.drop(screen.getByText('New conversation'), { dataTransfer });
    expect(await screen.findByRole('img', { name: 'dropped.png' })).toBeTruthy();
    expect(screen.queryByText('Drop images to attach them')).toBe(null);
  });

  it('pastes text as text, also when a picture of it comes along', async () => {
    pane = await showPane(new SampleLog().created().events);
    const files = [new File([new Uint8Array(4)], 'text.png', { type: 'image/png' })];
    expect(fireEvent.paste(composer(), { clipboardData: { files, getData: () => 'words' } })).toBe(true);
  });

  it('says why a picture cannot be taken, and lets one be taken off', async () => {
    pane = await showPane(new SampleLog().created().events);
    const png = new File([new Uint8Array(4)], 'fine.png', { type: 'image/png' });
    fireEvent.paste(composer(), {
      clipboardData: { files: [new File(['x'], 'notes.txt', { type: 'text/plain' }), png], getData: () => '' },
    });
    expect(await screen.findByText('notes.txt cannot be attached')).toBeTruthy();
    fireEvent.click(await screen.findByRole('button', { name: 'Remove fine.png' }));
    expect(screen.queryByRole('list', { name: 'Attached images' })).toBe(null);
  });

  it('keeps the draft with the session', async () => {
    pane = await showPane(new SampleLog().created().events, (made) => {
      made.answers['draft.get'] = () => ({ text: 'from before', version: 1 });
    });
    await waitFor(() => expect(composer().value).toBe('from before'));
    type('from before, and more');
    await settle(() => pane.host.calls.some(({ operation }) => operation === 'draft.set'));
    expect(pane.host.calls.at(-1)).toEqual({
      operation: 'draft.set',
      params: { runId: pane.host.runId, text: 'from before, and more', base: 'from before' },
    });
  });

  it('[doc-3] [doc-4] shows what others write in the draft, and loses neither that nor what is typed nor the place of the caret', async () => {
    pane = await showPane(new SampleLog().created().events, (made) => {
      made.answers['draft.get'] = () => ({ text: 'fix it', version: 1 });
      made.answers['draft.set'] = () => {
        // What somebody else wrote at the same time, and both together, come before the answer.
        hear('Please fix it', 3);
        hear('Please fix it now', 4);
        return { text: 'Please fix it now', version: 4 };
      };
    });
    const { host } = pane;
    const hear = (text: string, version: number) => host.send({ type: 'draft:changed', runId: host.runId, text, version });
    await waitFor(() => expect(composer().value).toBe('fix it'));
    act(() => composer().focus());
    composer().setSelectionRange(3, 3);
    hear('please fix it', 2);
    await waitFor(() => expect([composer().value, composer().selectionStart]).toEqual(['please fix it', 10]));
    type('please fix it now');
    await waitFor(() => expect(composer().value).toBe('Please fix it now'));
    expect(host.calls.at(-1)?.params).toMatchObject({ text: 'please fix it now', base: 'please fix it' });
    hear('an older one', 2);
    hear('Please fix it now!', 5);
    await waitFor(() => expect(composer().value).toBe('Please fix it now!'));
  });

  it('[doc-3] loses nothing of what came from others when a key is typed before it is shown', async () => {
    pane = await showPane(new SampleLog().created().events, (made) => {
      made.answers['draft.get'] = () => ({ text: 'fix it', version: 1 });
    });
    const { host } = pane;
    await waitFor(() => expect(composer().value).toBe('fix it'));
    await act(async () => {
      let stop = () => {};
      const heard = new Promise((resolve) => {
        stop = onTextChanged(resolve);
      });
      host.send({ type: 'draft:changed', runId: host.runId, text: 'fix it in the sidebar', version: 2 });
      await heard;
      stop();
      expect(composer().value).toBe('fix it');
      type('Anna: fix it');
    });
    await waitFor(() => expect(composer().value).toBe('Anna: fix it in the sidebar'));
    await settle(() => host.calls.some(({ operation }) => operation === 'draft.set'));
    expect(host.calls.at(-1)?.params).toMatchObject({ text: 'Anna: fix it in the sidebar', base: 'fix it in the sidebar' });
  });

  it('shows a prompt that was refused with its reason, and sends it again', async () => {
    pane = await showPane(new SampleLog().created().events, (made) => {
      made.refuse = new RefusalError('queue-full', '100 prompts wait already.', 'Delete some of them, or wait.');
    });
    type('Hello');
    fireEvent.keyDown(composer(), { key: 'Enter' });
    expect(await screen.findByText(/Not sent\. 100 prompts wait already/)).toBeTruthy();
    pane.host.refuse = null;
    fireEvent.click(button('Try again'));
    await waitFor(() => expect(screen.queryByText(/Not sent/)).toBe(null));
    expect(pane.host.commands().filter(({ kind }) => kind === 'prompt')).toHaveLength(2);
  });

  it('interrupts the turn that runs', async () => {
    const begun = new SampleLog();
    begun.prompt('Work');
    pane = await showPane(begun.events);
    fireEvent.click(button('Interrupt'));
    expect(await pane.sent('interrupt')).toEqual([{ kind: 'interrupt' }]);
    pane.tell(() => begun.end(null, 'interrupted'));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Interrupt' })).toBe(null));
  });

  it('cycles the permission mode with Shift+Tab; doing everything has to be confirmed', async () => {
    pane = await showPane(new SampleLog().created().events);
    act(() => composer().focus());
    press('Tab', { shiftKey: true });
    expect(await pane.sent('options')).toEqual([{ kind: 'options', permissionMode: 'acceptEdits' }]);
    fireEvent.keyDown(button('Permission mode: Ask'), { key: 'Enter' });
    fireEvent.click(await screen.findByRole('menuitemradio', { name: 'Never ask' }));
    const dialog = await screen.findByRole('dialog');
    expect(pane.host.commands()).toHaveLength(1);
    fireEvent.click(within(dialog).getByRole('button', { name: 'Never ask' }));
    await settle(() => pane.host.commands().length === 2);
    expect(pane.host.commands()[1]).toEqual({ kind: 'options', permissionMode: 'bypassPermissions' });
  });
});

describe('a conversation of another machine', () => {
  const remote = { connection: 'away', behindBytes: null, heardAt: null, historyComplete: true } as const;
  const item = (text: string, state: 'waiting' | 'sent') =>
    ({ inputId: InputId.parse(crypto.randomUUID()), kind: 'prompt', text, since: '2026-11-21T10:00:00.000Z', state }) as const;

  it('[view-3] says that prompts wait while that is away, shows them, and takes one back', async () => {
    pane = await showPane(new SampleLog().created().events);
    const { host } = pane;
    act(() => host.change(host.runId, { machine: 'desktop', remote }));
    await settle(() => composer().placeholder === 'desktop is away: prompts wait here until it is back');
    const [waits, sent] = [item('Update the changelog', 'waiting'), item('And the docs', 'sent')];
    act(() => host.send({ type: 'outbox:changed', runId: host.runId, items: [waits, sent] }));
    const queue = await screen.findByRole('region', { name: 'Queued messages' });
    expect(
      within(queue)
        .getAllByRole('listitem')
        .map((row) => row.textContent),
    ).toEqual(['Update the changelogWaits for desktop', 'And the docsSending']);
    fireEvent.click(within(queue).getByRole('button', { name: 'Do not send' }));
    await settle(() => host.calls.some(({ operation }) => operation === 'outbox.cancel'));
    expect(host.calls.findLast(({ operation }) => operation === 'outbox.cancel')?.params).toEqual({ inputId: waits.inputId });
  });

  it('[view-3] shows once what this window has sent itself', async () => {
    pane = await showPane(new SampleLog().created().events);
    const { host } = pane;
    act(() => host.change(host.runId, { machine: 'desktop', remote }));
    host.isSilent = true;
    type('Later');
    fireEvent.keyDown(composer(), { key: 'Enter' });
    await settle(() => host.received.some((message) => message.type === 'run:input' && message.input.kind === 'prompt'));
    const message = host.received.find((each) => each.type === 'run:input' && each.input.kind === 'prompt');
    if (message?.type !== 'run:input' || message.input.kind !== 'prompt') throw new Error('no prompt was sent');
    const { inputId } = message.input;
    act(() => host.send({ type: 'outbox:changed', runId: host.runId, items: [{ ...item('Later', 'waiting'), inputId }] }));
    const queue = await screen.findByRole('region', { name: 'Queued messages' });
    await settle(() => within(queue).queryByText('Waits for desktop') !== null);
    expect(within(queue).getAllByText('Later')).toHaveLength(1);
  });
});

describe('the queue', () => {
  async function showQueue() {
    const begun = new SampleLog();
    begun.prompt('Work');
    const ids = ['one', 'two', 'three'].map((text) => begun.queue(text));
    pane = await showPane(begun.events);
    await screen.findByRole('region', { name: 'Queued messages' });
    return ids;
  }

  it('is shown in its order, and a message in it can be edited', async () => {
    const [, second] = await showQueue();
    const queue = within(screen.getByRole('region', { name: 'Queued messages' }));
    expect(queue.getAllByRole('listitem').map((item) => item.textContent)).toEqual(['one', 'two', 'three']);
    fireEvent.click(button('Edit message 2'));
    const field = screen.getByRole('textbox', { name: 'Text of message 2' });
    fireEvent.change(field, { target: { value: 'two, better' } });
    fireEvent.keyDown(field, { key: 'Enter' });
    expect(await pane.sent('prompt-edit')).toEqual([{ kind: 'prompt-edit', target: second, text: 'two, better' }]);
  });

  it('is put in another order by button, by key and by dragging', async () => {
    const [first, second, third] = await showQueue();
    fireEvent.click(button('Move message 3 up'));
    fireEvent.click(button('Move message 1 down'));
    fireEvent.keyDown(button('Edit message 2'), { key: 'ArrowDown', altKey: true });
    const rows = screen.getAllByRole('listitem').filter((item) => item.hasAttribute('draggable'));
    fireEvent.dragStart(rows[2] ?? document.body, { dataTransfer: { setData: () => undefined } });
    fireEvent.drop(rows[0] ?? document.body, { dataTransfer: { types: ['text/plain'] } });
    await settle(() => pane.host.commands().length === 4);
    expect(pane.host.commands()).toEqual([
      { kind: 'prompt-move', target: third, before: second },
      { kind: 'prompt-move', target: first, before: third },
      { kind: 'prompt-move', target: second, before: null },
      { kind: 'prompt-move', target: third, before: first },
    ]);
  });

  it('lets go of a message', async () => {
    const [first] = await showQueue();
    fireEvent.click(button('Delete message 1'));
    expect(await pane.sent('prompt-delete')).toEqual([{ kind: 'prompt-delete', target: first }]);
  });
});
