import type { MachineId, RunId } from '../../src-shared/ids.ts';
import type { SessionText } from '../../src-shared/workspace-documents.ts';

/** A text at a moment. `version` grows with each change, whoever made it: of two, the higher one is the newer. */
export interface TextNow {
  readonly text: string;
  readonly version: number;
}

/** What people say of sessions beside their logs. It is everybody's: the same on every machine of a workspace, and written offline too. */
export interface SessionDocuments {
  /** The title that a user gave; null where one was taken away, undefined where the log's own holds. */
  title(runId: RunId): string | null | undefined;
  /** Resolves when it is kept. */
  setTitle(runId: RunId, title: string | null): Promise<void>;
  onTitles(listener: (runIds: readonly RunId[]) => void): void;
  /** Whether a machine is to follow a session, as somebody chose on any machine; undefined where nobody has. */
  follow(runId: RunId, machine: MachineId): boolean | undefined;
  /** Whether a machine follows what others host, where nobody has chosen. */
  followsOthers(machine: MachineId): boolean;
  /** Resolves when it is kept. */
  setFollow(runId: RunId, machine: MachineId, follows: boolean): Promise<void>;
  onFollows(listener: (runIds: readonly RunId[] | 'all') => void): void;
  text(runId: RunId, text: SessionText): Promise<TextNow>;
  /** `next` was made of `base` (null: of whatever is there); what others have written meanwhile stays. Resolves when it is kept. */
  setText(runId: RunId, text: SessionText, next: string, base: string | null): Promise<TextNow>;
  onText(listener: (runId: RunId, text: SessionText, now: TextNow) => void): void;
  /** The session is no more on this machine; `everywhere`: nor on any other. */
  forget(runId: RunId, options: { readonly everywhere: boolean }): Promise<void>;
}
