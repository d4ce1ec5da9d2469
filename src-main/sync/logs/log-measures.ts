import { MAX_PAYLOAD_BYTES } from '../../../src-shared/sealed-batch.ts';
import { MAX_LARGE_BYTES } from './large-event.ts';

/** How a log lies at the relay: its host decides it alone. */
export interface LogMeasures {
  /** Payload of one batch before it is deflated. */
  readonly batchBytes: number;
  /** What a batch holds at most. An event that is larger goes beside the log, in pieces. */
  readonly payloadBytes: number;
  readonly pieceBytes: number;
  /** A larger event is left out, as a gap that says so. */
  readonly largeBytes: number;
  /** So much of a log is sent before another checkpoint is left: when it rests, and while it does not. */
  readonly checkpointAfterBytes: number;
  readonly checkpointAtLatestBytes: number;
}

export const LOG_MEASURES: LogMeasures = {
  batchBytes: 512 * 1024,
  payloadBytes: MAX_PAYLOAD_BYTES,
  pieceBytes: 768 * 1024,
  largeBytes: MAX_LARGE_BYTES,
  checkpointAfterBytes: 1024 * 1024,
  checkpointAtLatestBytes: 8 * 1024 * 1024,
};
