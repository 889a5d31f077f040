// SPDX-License-Identifier: MIT
// The protocol between the host and Dom0's exec server (lab/dom0/exec-server.c).

/** The types of frames. The first four go to Dom0, and the others come from it. */
export const FrameType = {
  start: 1,
  stdin: 2,
  stdinEnd: 3,
  signal: 4,
  /** The first frame. It says that the connection has reached Dom0. */
  hello: 15,
  started: 16,
  stdout: 17,
  stderr: 18,
  /** The number of further bytes of stdin that may be sent. */
  credit: 19,
  stdinClosed: 20,
  exit: 21,
  error: 22,
} as const;

export interface Frame {
  type: number;
  payload: Buffer;
}

const HEADER = 5;
const MAX_PAYLOAD = 4 << 20;

/** Encodes a frame: type, big-endian length, payload. */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  if (payload.length > MAX_PAYLOAD) throw new RangeError(`frame of ${payload.length} bytes is too long`);
  const frame = Buffer.allocUnsafe(HEADER + payload.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, HEADER);
  return frame;
}

/** Cuts a byte stream into frames. Its chunks may end anywhere. */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes a chunk, and gives the frames that it completes. */
  push(chunk: Buffer): Frame[] {
    const data = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    const frames: Frame[] = [];
    let at = 0;
    while (data.length - at >= HEADER) {
      const length = data.readUInt32BE(at + 1);
      if (length > MAX_PAYLOAD) throw new RangeError(`frame of ${length} bytes is too long`);
      if (data.length - at < HEADER + length) break;
      frames.push({ type: data.readUInt8(at), payload: data.subarray(at + HEADER, at + HEADER + length) });
      at += HEADER + length;
    }
    this.#pending = data.subarray(at);
    return frames;
  }
}

/** The command to run. */
export interface StartRequest {
  token: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/** Encodes the payload of a start frame. */
export function encodeStart(request: StartRequest): Buffer {
  const env = Object.entries(request.env).map(([name, value]) => `${name}=${value}`);
  return Buffer.concat([string(request.token), strings(request.argv), strings(env), string(request.cwd)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  if (text.includes('\0')) throw new TypeError('a command line, environment or directory cannot hold NUL');
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes]);
}

function strings(list: readonly string[]): Buffer {
  return Buffer.concat([u32(list.length), ...list.map(string)]);
}
