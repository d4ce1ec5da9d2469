import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newEvent } from '../../src-shared/events.ts';
import { SampleLog, sampleLog } from '../../src-shared/sim/sample-conversation.ts';
import { settle } from '../testing/window.tsx';
import { button, closePane, type ShownPane, showPane } from './testing/pane.tsx';

let pane: ShownPane;

beforeEach(() => localStorage.clear());
afterEach(closePane);

describe('the conversation', () => {
  it('shows what was said, folded calls, and how turns ended', async () => {
    pane = await showPane(sampleLog().events);
    const conversation = within(screen.getByRole('region', { name: 'Conversation' }));
    expect(conversation.getByText('Which files are here?')).toBeTruthy();
    expect(conversation.getByText('Read 2 files')).toBeTruthy();
    expect(conversation.getByText('README.md', { selector: 'code' })).toBeTruthy();
    expect(conversation.getByText('API Error: 529 Overloaded')).toBeTruthy();
    expect(conversation.getByText(/Baton ended unexpectedly/)).toBeTruthy();
    fireEvent.click(conversation.getByRole('button', { name: /Edited/ }));
    expect(await conversation.findByText('old')).toBeTruthy();
  });

  it('says what a new one is', async () => {
    pane = await showPane(new SampleLog().created().events);
    expect(screen.getByText('New conversation')).toBeTruthy();
    expect(screen.getByText('/home/me/baton')).toBeTruthy();
    expect(screen.getAllByText('opus-5-5')[0]).toBeTruthy();
  });

  it('[claude-2] shows text while it is written and keeps its place when its entry comes', async () => {
    const begun = new SampleLog();
    begun.prompt('Tell me');
    pane = await showPane(begun.events);
    act(() => pane.host.writing('Once upon', { messageId: 'msg_1' }));
    const writing = await screen.findByText('Once upon');
    pane.tell(() => begun.text('Once upon a time'));
    await screen.findByText('Once upon a time');
    expect(writing.isConnected).toBe(true);
  });

  it('tells screen readers of finished blocks only', async () => {
    const begun = new SampleLog();
    begun.prompt('Tell me');
    pane = await showPane(begun.events);
    const said = () =>
      screen
        .getAllByRole('status')
        .map((region) => region.textContent)
        .join('');
    act(() => pane.host.writing('Half a sen'));
    await screen.findByText('Half a sen');
    expect(said()).not.toContain('Half');
    pane.tell(() => begun.text('A whole sentence.'));
    await waitFor(() => expect(said()).toContain('Claude: A whole sentence.'));
  });

  it('[claude-4] shows what it does not know as it came', async () => {
    const begun = new SampleLog();
    begun.prompt('Hello');
    begun.append(newEvent('claude:message', 'message', { type: 'from_the_future', depth: 3 }));
    pane = await showPane(begun.events);
    fireEvent.click(screen.getByRole('button', { name: 'from_the_future' }));
    expect(await screen.findByText(/"depth": 3/)).toBeTruthy();
  });

  it('forks before a message, with its text to write it anew', async () => {
    const begun = new SampleLog().created();
    begun.end(begun.prompt('First'));
    begun.end(begun.prompt('Second'));
    pane = await showPane(begun.events, (made) => {
      made.answers['session.fork'] = () => ({ session: made.add({ kind: 'claude', title: 'Fork' }) });
    });
    fireEvent.click(screen.getAllByRole('button', { name: 'Fork before this message' })[1] ?? document.body);
    await settle(() => pane.host.calls.some(({ operation }) => operation === 'draft.set'));
    const accepted = begun.events.findLast(({ channel, type: kind }) => channel === 'run:prompt' && kind === 'accepted');
    expect(pane.host.calls).toContainEqual({
      operation: 'session.fork',
      params: expect.objectContaining({ runId: pane.host.runId, seq: (accepted?.seq ?? 0) - 1 }),
    });
    expect(pane.host.calls).toContainEqual({ operation: 'draft.set', params: expect.objectContaining({ text: 'Second' }) });
  });

  it('tries a failed turn again', async () => {
    const begun = new SampleLog();
    begun.end(begun.prompt('Try this'), 'failed', 'API Error: 529');
    pane = await showPane(begun.events);
    fireEvent.click(button('Try again'));
    expect(await pane.sent('prompt')).toEqual([{ kind: 'prompt', content: { text: 'Try this', images: [] } }]);
  });
});

describe('what stands in the way', () => {
  it('is said in one sentence with the button that does something about it', async () => {
    const message = 'Claude is not signed in: run "claude" in a terminal.';
    pane = await showPane(new SampleLog().created().events, (made) =>
      made.changeClaude({ blocked: { code: 'not-signed-in', message } }),
    );
    expect(screen.getByText(message)).toBeTruthy();
    fireEvent.click(button('Sign in'));
    await settle(() => pane.host.calls.some(({ operation }) => operation === 'session.create'));
    expect(pane.host.calls.find(({ operation }) => operation === 'session.create')?.params).toMatchObject({
      spec: { kind: 'pty', command: 'claude' },
    });
    fireEvent.click(button('Try again'));
    // The child that runs would not notice: it is ended first.
    await pane.sent('restart');
    expect(pane.host.received.some((message) => message.type === 'run:close')).toBe(true);
  });
});
