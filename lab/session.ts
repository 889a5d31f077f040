// SPDX-License-Identifier: MIT
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { dial, type Endpoint } from './dial.ts';
import { LabError } from './errors.ts';
import { encodeFrame, encodeStart, type Frame, FrameDecoder, FrameType } from './frames.ts';

/**
 * Takes output as it arrives. A returned promise holds back the command's output until it resolves.
 */
export type OutputHandler = (chunk: Buffer) => void | Promise<void>;

export interface ExecOptions {
  /** Standard input. Without it the command reads end-of-file at once. */
  stdin?: Buffer | string | Readable | undefined;
  /** Variables to add to a plain environment of PATH, HOME and LANG. */
  env?: Record<string, string> | undefined;
  /** The working directory. The default is `/root`. */
  cwd?: string | undefined;
  onStdout?: OutputHandler | undefined;
  onStderr?: OutputHandler | undefined;
  /** Collects the output for the result (the default). Endless output needs false. */
  collect?: boolean | undefined;
  /** Ends the command's process group and rejects after this time. */
  timeoutMs?: number | undefined;
  /** Ends the command's process group and rejects when aborted. */
  signal?: AbortSignal | undefined;
}

export interface ExecResult {
  /** Exit status, or 128 + the signal's number. */
  status: number;
  stdout: Buffer;
  stderr: Buffer;
}

const CHUNK = 64 << 10;

/** A command running in Dom0. */
export class Session {
  /** Settles when the command has ended and all its output has arrived. */
  readonly result: Promise<ExecResult>;
  readonly #endpoint: Endpoint;
  readonly #options: ExecOptions;
  readonly #over = new AbortController();
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #earlySignals: NodeJS.Signals[] = [];
  #socket: Socket | undefined;
  #credit = 0;
  #wakeInput = () => {};
  #inputOver = false;

  constructor(endpoint: Endpoint, argv: readonly string[], options: ExecOptions = {}) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.result = this.#run(argv);
  }

  /** Sends a signal to the command's process group. */
  kill(signal: NodeJS.Signals): void {
    if (this.#socket) this.#send(FrameType.signal, Buffer.of(constants.signals[signal]));
    else this.#earlySignals.push(signal);
  }

  /** Drops the connection. The exec server then ends the process group. */
  abort(reason: Error): void {
    this.#over.abort(reason);
    this.#socket?.destroy();
  }

  async #run(argv: readonly string[]): Promise<ExecResult> {
    const { timeoutMs, signal } = this.#options;
    const abort = () => this.abort(signal?.reason instanceof Error ? signal.reason : new LabError('aborted'));
    const late = () =>
      this.abort(new LabError(`${argv.join(' ')}: still running after ${timeoutMs} ms\n${this.#tail()}`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      await this.#start(argv);
      const input = this.#pumpInput().catch((error) => this.abort(error));
      const status = await this.#readFrames();
      this.#endInput();
      await input;
      this.#over.signal.throwIfAborted();
      return { status, stdout: Buffer.concat(this.#stdout), stderr: Buffer.concat(this.#stderr) };
    } catch (error) {
      throw this.#over.signal.aborted ? this.#over.signal.reason : error;
    } finally {
      this.#endInput();
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#socket?.destroy();
    }
  }

  async #start(argv: readonly string[]): Promise<void> {
    const { env = {}, cwd = '/root' } = this.#options;
    const start = encodeStart({ token: this.#endpoint.token, argv, env, cwd });
    this.#socket = await dial(this.#endpoint, this.#over.signal);
    this.#send(FrameType.start, start);
    for (const signal of this.#earlySignals) this.kill(signal);
  }

  async #readFrames(): Promise<number> {
    const decoder = new FrameDecoder();
    for await (const chunk of this.#socket ?? []) {
      for (const frame of decoder.push(chunk)) {
        if (frame.type === FrameType.exit) return frame.payload.readUInt32BE();
        await this.#handle(frame);
      }
    }
    throw new LabError('the lab closed the connection: it went down; see: npm run lab -- console');
  }

  #handle({ type, payload }: Frame): void | Promise<void> {
    switch (type) {
      case FrameType.stdout:
        if (this.#options.collect !== false) this.#stdout.push(payload);
        return this.#options.onStdout?.(payload);
      case FrameType.stderr:
        if (this.#options.collect !== false) this.#stderr.push(payload);
        return this.#options.onStderr?.(payload);
      case FrameType.credit:
        this.#credit += payload.readUInt32BE();
        return this.#wakeInput();
      case FrameType.stdinClosed:
        return this.#endInput();
      case FrameType.error:
        throw new LabError(payload.toString());
    }
  }

  async #pumpInput(): Promise<void> {
    const { stdin } = this.#options;
    if (stdin instanceof Readable) await this.#pumpStream(stdin);
    else if (stdin !== undefined) await this.#sendInput(Buffer.from(stdin));
    this.#send(FrameType.stdinEnd);
  }

  async #pumpStream(stream: Readable): Promise<void> {
    const chunks = stream[Symbol.asyncIterator]();
    while (!this.#inputOver) {
      const over = new Promise<undefined>((resolve) => {
        this.#wakeInput = () => this.#inputOver && resolve(undefined);
      });
      const next = await Promise.race([chunks.next(), over]);
      if (!next || next.done) break;
      await this.#sendInput(Buffer.from(next.value));
    }
    if (this.#inputOver) stream.destroy();
  }

  async #sendInput(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length && !this.#inputOver; ) {
      const part = data.subarray(at, at + Math.min(CHUNK, this.#credit));
      if (part.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wakeInput = resolve;
        });
        continue;
      }
      at += part.length;
      this.#credit -= part.length;
      this.#send(FrameType.stdin, part); // the credit bounds what is on the way
    }
  }

  #endInput(): void {
    this.#inputOver = true;
    this.#wakeInput();
  }

  #send(type: number, payload?: Uint8Array): void {
    if (this.#socket?.writable) this.#socket.write(encodeFrame(type, payload));
  }

  #tail(): string {
    return Buffer.concat([...this.#stdout, ...this.#stderr])
      .toString()
      .slice(-2000);
  }
}
