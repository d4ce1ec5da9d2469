import { COMMANDS, type CommandId } from '../src-shared/keymap.ts';
import { useWindow } from './store.ts';
import { showFailure } from './ui/toasts.tsx';

/** What a command does here and now. A command whose handler is absent or not enabled is not offered, and its keys pass through. */
export interface Handler {
  readonly run: () => void | Promise<void>;
  readonly isEnabled?: () => boolean;
}
export type Handlers = Readonly<Partial<Record<CommandId, Handler>>>;

let frameHandlers: Handlers = {};
/** By pane id. The active pane's handlers go before the frame's. */
const paneHandlers = new Map<string, Handlers>();

/** The frame's own commands, set once at start. */
export function setFrameHandlers(handlers: Handlers): void {
  frameHandlers = handlers;
}

/** A pane's own commands (find, copy, clear …), in force while it is the active one. Returns what takes them back. */
export function addPaneHandlers(paneId: string, handlers: Handlers): () => void {
  paneHandlers.set(paneId, handlers);
  return () => {
    if (paneHandlers.get(paneId) === handlers) paneHandlers.delete(paneId);
  };
}

function handlerOf(command: CommandId): Handler | undefined {
  const { activePane } = useWindow.getState();
  const inPane = activePane === null ? undefined : paneHandlers.get(activePane)?.[command];
  return [inPane, frameHandlers[command]].find((handler) => handler !== undefined && (handler.isEnabled?.() ?? true));
}

export function canRun(command: CommandId): boolean {
  return handlerOf(command) !== undefined;
}

/** False: nobody here takes that command now. */
export function runCommand(command: CommandId): boolean {
  const handler = handlerOf(command);
  if (handler === undefined) return false;
  void runHandler(command, handler);
  return true;
}

async function runHandler(command: CommandId, handler: Handler): Promise<void> {
  try {
    await handler.run();
  } catch (error) {
    showFailure(`${COMMANDS[command].title} failed`, error);
  }
}
