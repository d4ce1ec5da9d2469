import { lazy, Suspense } from 'react';
import { LeaveWorkspace, RenameMachine, RevokeMachine } from '../machines/membership-dialogs.tsx';
import { GoToSession } from '../navigation/go-to-session.tsx';
import { Palette } from '../navigation/palette.tsx';
import { useWindow } from '../store.ts';
import { afterClose } from '../ui/after-close.tsx';
import { refocusActivePane } from '../workspace/workspace.ts';
import { ClosePane } from './close-pane.tsx';
import { DeleteSessions } from './delete-sessions.tsx';
import { NewClaude } from './new-claude.tsx';
import { NewTerminal } from './new-terminal.tsx';
import { RenameSession } from './rename-session.tsx';

/** Wanted a few times in the life of a machine: not part of what every window loads. */
const AddMachine = lazy(() => import('../machines/add-machine.tsx'));
const JoinMachine = lazy(() => import('../machines/join-machine.tsx'));

function close(): void {
  useWindow.setState({ overlay: null });
  afterClose(refocusActivePane);
}

/** Whatever floats above the panes now. */
export function Overlays() {
  const overlay = useWindow((window) => window.overlay);
  if (overlay === null) return null;
  switch (overlay.is) {
    case 'palette':
      return <Palette onClose={close} />;
    case 'goToSession':
      return <GoToSession onClose={close} />;
    case 'newClaude':
      return <NewClaude machineId={overlay.machineId} onClose={close} />;
    case 'newTerminal':
      return <NewTerminal machineId={overlay.machineId} onClose={close} />;
    case 'rename':
      return <RenameSession key={overlay.runId} runId={overlay.runId} onClose={close} />;
    case 'closePane':
      return <ClosePane paneId={overlay.paneId} runId={overlay.runId} onClose={close} />;
    case 'deleteSessions':
      return <DeleteSessions runIds={overlay.runIds} onClose={close} />;
    case 'addMachine':
      return (
        <Suspense>
          <AddMachine onClose={close} />
        </Suspense>
      );
    case 'joinMachine':
      return (
        <Suspense>
          <JoinMachine onClose={close} />
        </Suspense>
      );
    case 'renameMachine':
      return <RenameMachine machineId={overlay.machineId} onClose={close} />;
    case 'revokeMachine':
      return <RevokeMachine machineId={overlay.machineId} onClose={close} />;
    case 'leaveWorkspace':
      return <LeaveWorkspace onClose={close} />;
  }
}
