import { createContext, useContext } from 'react';

/** What a row of a conversation may ask for, wherever it is drawn. */
export interface ConversationActions {
  readonly cwd: string;
  /** Opens an http, https or mailto address outside; refuses others. */
  readonly openLink: (url: string) => void;
  /** Opens a file of the session's machine, at a line where it is known. Relative to the session's folder. */
  readonly openPath: (path: string, line?: number) => void;
  /** An event's payload as it is in the log. */
  readonly readEvent: (seq: number) => Promise<unknown>;
}

const Context = createContext<ConversationActions | null>(null);
export const ConversationProvider = Context.Provider;

export function useConversation(): ConversationActions {
  const actions = useContext(Context);
  if (actions === null) throw new Error('a part of a conversation is drawn outside of one');
  return actions;
}

/** A path as people read it: relative to the session's folder where it lies in it. */
export function shortPath(path: string, cwd: string): string {
  const folder = cwd.endsWith('/') ? cwd : `${cwd}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}
