import type { CommandId } from '../../src-shared/keymap.ts';
import { canRun, runCommand } from '../commands.ts';
import { commandFor, contextsAt, currentKeymap } from './keymap.ts';

/** What may be done from inside a dialog: leaving it for another one. */
const overDialogs: ReadonlySet<CommandId> = new Set([
  'go.palette',
  'go.session',
  'view.fontLarger',
  'view.fontSmaller',
  'view.fontReset',
]);

function handleKey(event: KeyboardEvent): void {
  if (event.isComposing || event.defaultPrevented) return;
  const target = event.target instanceof Element ? event.target : null;
  // The shortcuts page takes the next stroke as it is.
  if (target?.closest('[data-takes-keys]')) return;
  const inDialog = target?.closest('[role="dialog"],[role="alertdialog"]') != null;
  const mayRun = (command: CommandId) => (!inDialog || overDialogs.has(command)) && canRun(command);
  const command = commandFor(event, contextsAt(target), currentKeymap().bindings, mayRun);
  if (command === null) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat || repeats(command)) runCommand(command);
}

/** A key that is held down must not open a terminal thirty times a second. */
function repeats(command: CommandId): boolean {
  return /^(tab\.(next|previous)|terminal\.|view\.font|find\.(next|previous))/.test(command);
}

/** Listens before anything in the window does: a terminal would swallow the strokes. Returns what stops it. */
export function listenForKeys(): () => void {
  window.addEventListener('keydown', handleKey, { capture: true });
  return () => window.removeEventListener('keydown', handleKey, { capture: true });
}
