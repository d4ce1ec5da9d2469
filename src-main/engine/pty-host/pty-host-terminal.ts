import { StringDecoder } from 'node:string_decoder';
import type { Outbox } from './pty-host-outbox.ts';
import { OutputBatch } from './pty-host-output.ts';
import type { PtySpawn } from './pty-host-protocol.ts';
import type { HostedPty, OpenPty } from './pty-host-pty.ts';

/** A pty with what surrounds it in the host: batching and numbering of output, encoding, flow control by keys. */
export class HostedTerminal {
  private readonly id: number;
  private readonly pty: HostedPty;
  private readonly options: PtySpawn['options'];
  private readonly batch: OutputBatch;
  private readonly inputDecoder: StringDecoder | null;
  private chunks = 0;

  constructor(id: number, spawn: PtySpawn, open: OpenPty, outbox: Outbox, onExit: () => void) {
    this.id = id;
    this.options = spawn.options;
    const isLatin1 = spawn.options.encoding === 'latin1';
    this.inputDecoder = isLatin1 ? new StringDecoder('utf8') : null;
    this.batch = new OutputBatch({
      send: (bytes) => outbox.output(id, ++this.chunks, bytes),
      setReading: (isReading) => this.pty.setReading(isReading),
    });
    this.pty = open(spawn, {
      onData: (bytes) => this.batch.push(isLatin1 ? Buffer.from(Buffer.from(bytes).toString('latin1'), 'utf8') : bytes),
      onInputLost: (bytes) => outbox.message({ type: 'inputLost', id, bytes }),
      onExit: ({ exitCode, signal }) => {
        this.batch.flush();
        outbox.message({ type: 'exit', id, chunks: this.chunks, exitCode, signal });
        onExit();
      },
    });
    outbox.message({ type: 'spawned', id: this.id, pid: this.pty.pid });
  }

  write(data: Uint8Array): void {
    if (this.options.handleFlowControl === true && this.isFlowControl(data)) return;
    this.pty.write(this.inputDecoder === null ? data : Buffer.from(this.inputDecoder.write(Buffer.from(data)), 'latin1'));
  }

  resize(cols: number, rows: number): void {
    this.pty.resize(cols, rows);
  }

  setPaused(isPaused: boolean): void {
    this.batch.setPaused(isPaused);
  }

  acknowledge(totalBytes: number): void {
    this.batch.acknowledge(totalBytes);
  }

  end(graceMs: number): Promise<void> {
    return this.pty.end(graceMs);
  }

  /** XOFF and XON (or what the session named instead), alone in a write, stop and start the reading instead of being typed. */
  private isFlowControl(data: Uint8Array): boolean {
    const text = Buffer.from(data).toString('utf8');
    const isPause = text === (this.options.flowControlPause ?? '\x13');
    if (!isPause && text !== (this.options.flowControlResume ?? '\x11')) return false;
    this.batch.setPaused(isPause);
    return true;
  }
}
