import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import type { LogEvent } from '../../../src-shared/events.ts';
import { wirePair } from '../../../src-shared/wire.ts';
import { startEngine } from '../../engine.ts';
import { listenForKeys } from '../../navigation/keys.ts';
import type { CommandDraft } from '../../pane-contract.ts';
import { useWindow } from '../../store.ts';
import { settle, THIS_CLIENT } from '../../testing/window.tsx';
import { startTexts } from '../../texts/texts.ts';
import { Announcer } from '../../ui/announcer.tsx';
import { Toasts } from '../../ui/toasts.tsx';
import { TooltipProvider } from '../../ui/tooltip.tsx';
import { paneIdOf } from '../../workspace/layout.ts';
import { ClaudePane } from '../claude-pane.tsx';
import { ConversationHost } from './conversation-host.ts';

/** A conversation in a window of its own, as the active pane. */
export interface ShownPane {
  readonly host: ConversationHost;
  /** Makes known what `add` has added to the log. */
  readonly tell: (add: () => void) => void;
  /** The commands of a kind, as soon as there is one. */
  readonly sent: (kind: CommandDraft['kind']) => Promise<readonly CommandDraft[]>;
}

let stops: (() => void)[] = [];

export async function showPane(
  events: readonly LogEvent[],
  prepare: (host: ConversationHost) => void = () => undefined,
): Promise<ShownPane> {
  const host = new ConversationHost(events);
  prepare(host);
  startTexts();
  stops = [
    startEngine({
      clientId: THIS_CLIENT,
      kind: 'window',
      name: 'window',
      connect: async () => {
        const [ours, theirs] = wirePair();
        host.serve(theirs);
        return ours;
      },
    }),
    listenForKeys(),
  ];
  await settle(() => useWindow.getState().connection.is === 'live');
  useWindow.setState({ activePane: paneIdOf({ is: 'session', runId: host.runId }), activeRun: host.runId });
  render(
    <TooltipProvider>
      <ClaudePane runId={host.runId} active visible />
      <Announcer />
      <Toasts theme="light" />
    </TooltipProvider>,
  );
  await screen.findByRole('textbox', { name: 'Message Claude' });
  await settle(
    () => screen.queryByRole('region', { name: 'Conversation' }) !== null || screen.queryByText('New conversation') !== null,
  );
  const ofKind = (kind: string) => host.commands().filter((command) => command.kind === kind);
  return {
    host,
    tell: (add) =>
      act(() => {
        add();
        host.tell();
      }),
    sent: async (kind) => {
      await settle(() => ofKind(kind).length > 0);
      return ofKind(kind);
    },
  };
}

export async function closePane(): Promise<void> {
  cleanup();
  // What a pane writes down when it is closed goes out first.
  await settle(() => true);
  for (const stop of stops) stop();
  stops = [];
}

export const composer = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Message Claude' });
export const button = (name: string) => screen.getByRole('button', { name });

/** Writes into the composer, the caret at the end. */
export function type(text: string): void {
  fireEvent.change(composer(), { target: { value: text, selectionStart: text.length } });
}

/** A key on whatever has the focus. */
export function press(key: string, more: KeyboardEventInit = {}): void {
  const code = /^\d$/.test(key) ? `Digit${key}` : key;
  fireEvent.keyDown(document.activeElement ?? document.body, { key, code, ...more });
}
