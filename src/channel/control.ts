// SPDX-License-Identifier: MIT
// A client of the monitor's control socket.
import { connect, type Socket } from 'node:net';
import { errno } from '../host/errors.ts';
import { type Frame, FrameReader } from './protocol.ts';

/** One connection. Frames that nobody waits for are dropped. */
export class Control {
  private readonly reader = new FrameReader();
  private waiting: ((frame: Frame | undefined) => void) | undefined;
  private readonly frames: Frame[] = [];
  private closed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      for (const frame of this.reader.push(chunk)) this.deliver(frame);
    });
    // An error is always followed by close.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.deliver(undefined);
    });
  }

  /** Connects, or gives undefined when nobody listens there. */
  static open(path: string): Promise<Control | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        resolve(new Control(socket));
      });
      socket.once('error', (error) => {
        const code = errno(error);
        if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(undefined);
        else reject(error);
      });
    });
  }

  private deliver(frame: Frame | undefined): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting !== undefined) waiting(frame);
    else if (frame !== undefined) this.frames.push(frame);
  }

  /** Sends bytes; waits while the other side is slow. */
  async send(data: Buffer): Promise<void> {
    if (this.closed || this.socket.write(data)) return;
    await new Promise<void>((resolve) => {
      this.socket.once('drain', resolve);
      this.socket.once('close', () => resolve());
    });
  }

  /** The next frame, or undefined at the end of the connection or after timeoutMs. */
  receive(timeoutMs?: number): Promise<Frame | undefined> {
    const frame = this.frames.shift();
    if (frame !== undefined || this.closed) return Promise.resolve(frame);
    return new Promise((resolve) => {
      const timer =
        timeoutMs === undefined ? undefined : setTimeout(() => this.deliver(undefined), timeoutMs);
      this.waiting = (f) => {
        clearTimeout(timer);
        resolve(f);
      };
    });
  }

  /** Waits until the other side ends the connection, at most timeoutMs. True when it did. */
  ended(timeoutMs: number): Promise<boolean> {
    if (this.closed) return Promise.resolve(true);
    return new Promise((resolve) => {
      const closed = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.socket.off('close', closed);
        resolve(false);
      }, timeoutMs);
      this.socket.once('close', closed);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
