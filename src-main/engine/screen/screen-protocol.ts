import type { Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import type { TerminalColors } from './screen-colors.ts';
import type { Details } from './screen-listen.ts';

/** Messages between main and the screen worker: threads of one process and one build, so that types are enough. */

/** Lines above the screen that a terminal keeps. */
export const SCREEN_SCROLLBACK_LINES = 1000;
/** Output of one terminal that the worker may hold unparsed; what exceeds it is read back from the log when its turn comes. */
export const UNPARSED_BYTES = 8 * 1024 * 1024;
/** A screen is offered for storing each time a terminal has parsed this much. */
export const SCREEN_INTERVAL_BYTES = 2 * 1024 * 1024;

/** A piece of a terminal's past. */
export type PastEvent =
  | { readonly kind: 'output'; readonly seq: Seq; readonly bytes: Uint8Array }
  | { readonly kind: 'resize'; readonly seq: Seq; readonly cols: number; readonly rows: number };

/** The next piece of a living terminal. */
export interface Fed {
  readonly id: number;
  readonly event: PastEvent;
}

export type ToScreenWorker =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly cols: number;
      readonly rows: number;
      readonly from: Screen | null;
      /** Nothing up to here is answered or announced: it is the past. */
      readonly pastSeq: Seq;
      readonly answers: boolean;
    }
  | { readonly type: 'feed'; readonly fed: readonly Fed[] }
  /** `now`: as far as parsed. Otherwise after everything that was fed before. */
  | {
      readonly type: 'screen';
      readonly id: number;
      readonly call: number;
      readonly scrollbackLines: number;
      readonly now: boolean;
    }
  | { readonly type: 'close'; readonly id: number }
  | { readonly type: 'colors'; readonly colors: TerminalColors }
  /** Begins to turn a stretch of the past into lines. Each message about it but the last is answered by `call`. */
  | {
      readonly type: 'past-open';
      readonly call: number;
      readonly past: number;
      readonly cols: number;
      readonly rows: number;
      readonly from: Screen | null;
    }
  | { readonly type: 'past-feed'; readonly call: number; readonly past: number; readonly events: readonly PastEvent[] }
  /** The last `limit` lines before line `before` of it (null: to its end). `withScreen`: those that have not left the screen count too. */
  | {
      readonly type: 'past-lines';
      readonly call: number;
      readonly past: number;
      readonly before: number | null;
      readonly limit: number;
      readonly withScreen: boolean;
    }
  | { readonly type: 'past-close'; readonly past: number };

export type FromScreenWorker =
  | { readonly type: 'parsed'; readonly id: number; readonly seq: Seq; readonly bytes: number }
  | { readonly type: 'reply'; readonly id: number; readonly text: string }
  | { readonly type: 'details'; readonly id: number; readonly details: Details }
  | { readonly type: 'store'; readonly id: number; readonly screen: Screen }
  | { readonly type: 'screen'; readonly call: number; readonly screen: Screen }
  /** How many lines have left the screen so far, and the first of them that is still held. */
  | { readonly type: 'past-fed'; readonly call: number; readonly goneLines: number; readonly firstLine: number }
  | { readonly type: 'past-lines'; readonly call: number; readonly lines: readonly string[]; readonly first: number }
  | { readonly type: 'refused'; readonly call: number; readonly message: string }
  /** This terminal cannot be kept any longer. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
