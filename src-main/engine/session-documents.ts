import type { RunId } from '../../src-shared/ids.ts';
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
  text(runId: RunId, text: SessionText): Promise<TextNow>;
  /** `next` was made of `base` (null: of whatever is there); what others have written meanwhile stays. Resolves when it is kept. */
  setText(runId: RunId, text: SessionText, next: string, base: string | null): Promise<TextNow>;
  onText(listener: (runId: RunId, text: SessionText, now: TextNow) => void): void;
  /** The session is no more on this machine; `everywhere`: nor on any other. */
  forget(runId: RunId, options: { readonly everywhere: boolean }): Promise<void>;
}
