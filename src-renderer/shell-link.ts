import i18next from 'i18next';
import type { RunId } from '../src-shared/ids.ts';
import { isCommandId, SHOW_SESSION } from '../src-shared/keymap.ts';
import { runCommand } from './commands.ts';
import { call, onShellMessage, type ShellMessage } from './engine.ts';
import { useWindow } from './store.ts';
import { showNotice, showProblem } from './ui/toasts.tsx';
import { openPane } from './workspace/workspace.ts';

/** Does what the desktop shell asks (menu, tray, notification), and tells it what this window shows. Returns what ends it. */
export function startShellLink(): () => void {
  const stops = [
    onShellMessage(handleMessage),
    useWindow.subscribe((now, before) => {
      if (now.visibleRuns !== before.visibleRuns || now.connection.is !== before.connection.is) tellVisible(now.visibleRuns);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function handleMessage(message: ShellMessage): void {
  switch (message.type) {
    case 'shell:command':
      if (message.runId !== null) openPane({ is: 'session', runId: message.runId });
      if (message.command !== SHOW_SESSION && isCommandId(message.command)) runCommand(message.command);
      return;
    case 'shell:notice': {
      const { kind, runId, title, body } = message;
      const action = runId && { label: i18next.t('notice.show'), onClick: () => openPane({ is: 'session', runId }) };
      const more = { ...(body === null ? {} : { description: body }), ...(action ? { action } : {}) };
      if (kind === 'problem') showProblem(title, more);
      else showNotice(title, more);
      return;
    }
    case 'shell:environment':
      useWindow.setState({ screenReader: message.screenReader });
      return;
  }
}

/** The shell notifies about sessions that nobody looks at. In a browser there is no shell, and the refusal is expected. */
function tellVisible(runs: ReadonlySet<RunId>): void {
  if (useWindow.getState().connection.is !== 'live') return;
  call('shell.visibleSessions', { runIds: [...runs] }).catch((error: unknown) =>
    console.debug('nobody wants to know which sessions are visible', error),
  );
}
