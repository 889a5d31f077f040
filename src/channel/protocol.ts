// SPDX-License-Identifier: MIT
// Frames and records of the guest channel; docs/protocol.md is the specification, test/vectors hold both sides to it.

export const PROTOCOL_VERSION = 1;
export const HEADER_SIZE = 12;
export const PAYLOAD_MAX = 65536;
export const DESCRIPTION_MAX = 4 << 20;
/** Of the TERMINAL record, which the monitor adds to a PROCESS. */
export const TERMINAL_BYTES = 12;
/** Bytes of a SECCOMP record at most: its header, the flags, and as many instructions as Linux takes. */
export const SECCOMP_MAX = 8 + 4 + 8 * 4096;
const FLAG_MORE = 1;

/** Frame types that the runtime sends or reads. */
export const Type = {
  Container: 0x0002,
  Process: 0x0003,
  Stdin: 0x0004,
  StdinEof: 0x0005,
  Credit: 0x0006,
  Signal: 0x0007,
  Resize: 0x0008,
  File: 0x0009,
  FileData: 0x000a,
  Network: 0x000b,
  Stats: 0x000c,
  Kill: 0x0041,
  Status: 0x0042,
  Start: 0x0043,
  Paused: 0x0044,
  Pids: 0x0045,
  ContainerOk: 0x8002,
  Started: 0x8003,
  Failed: 0x8004,
  Stdout: 0x8005,
  Stderr: 0x8006,
  Eof: 0x8007,
  GuestCredit: 0x8008,
  Exit: 0x8009,
  StatsReply: 0x800b,
  StatusReply: 0x8042,
  PidsReply: 0x8045,
} as const;

/** Record tags. */
export const Tag = {
  RootDisk: 1,
  RootReadonly: 2,
  Hostname: 3,
  Domainname: 4,
  Mount: 5,
  MaskedPath: 6,
  ReadonlyPath: 7,
  Sysctl: 8,
  Device: 9,
  RootFstype: 10,
  BindSize: 11,
  RootPropagation: 12,
  MountType: 20,
  MountDest: 21,
  MountFlags: 22,
  MountData: 23,
  MountBind: 24,
  MountPropagation: 25,
  DevPath: 30,
  DevType: 31,
  DevMajor: 32,
  DevMinor: 33,
  DevMode: 34,
  DevUid: 35,
  DevGid: 36,
  FilePath: 40,
  FileMode: 41,
  FileUid: 42,
  FileGid: 43,
  FileMtime: 44,
  FileLink: 45,
  ContainerId: 60,
  Init: 61,
  Arg: 62,
  Env: 63,
  Cwd: 64,
  Uid: 65,
  Gid: 66,
  Group: 67,
  Umask: 68,
  Rlimit: 69,
  Caps: 70,
  NoNewPrivileges: 71,
  OomScoreAdj: 72,
  Terminal: 73,
  Seccomp: 74,
  Hook: 75,
  StatUptimeNs: 80,
  StatMemTotal: 81,
  StatMemAvailable: 82,
  StatCpuNs: 83,
  StatPids: 84,
  StatCpuUserNs: 85,
  StatCpus: 86,
  StatMemCached: 87,
  StatOomKills: 88,
  HookStage: 120,
  HookPath: 121,
  HookArg: 122,
  HookEnv: 123,
  HookTimeout: 124,
  HookInput: 125,
  Resolver: 102,
  NetMode: 103,
  NetBridge: 104,
  NetMac: 105,
  NetAddress: 106,
  NetGateway: 107,
} as const;

export interface Frame {
  type: number;
  flags: number;
  id: number;
  payload: Buffer;
}

/** One frame as bytes. The payload must be at most PAYLOAD_MAX long. */
export function encodeFrame(
  type: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
  flags = 0,
): Buffer {
  if (payload.length > PAYLOAD_MAX) throw new RangeError(`payload of ${payload.length} bytes`);
  const frame = Buffer.allocUnsafe(HEADER_SIZE + payload.length);
  frame.writeUInt16LE(type, 0);
  frame.writeUInt16LE(flags, 2);
  frame.writeUInt32LE(id, 4);
  frame.writeUInt32LE(payload.length, 8);
  frame.set(payload, HEADER_SIZE);
  return frame;
}

/**
 * A description of any length up to DESCRIPTION_MAX, as frames joined by MORE; open: somebody else adds the last frame. Throws
 * RangeError beyond that.
 */
export function encodeDescription(type: number, id: number, description: Buffer, open = false): Buffer {
  if (description.length > DESCRIPTION_MAX)
    throw new RangeError(`description of ${description.length} bytes`);
  const frames: Buffer[] = [];
  for (let at = 0; ; at += PAYLOAD_MAX) {
    const last = at + PAYLOAD_MAX >= description.length;
    const flags = last && !open ? 0 : FLAG_MORE;
    frames.push(encodeFrame(type, id, description.subarray(at, at + PAYLOAD_MAX), flags));
    if (last) return Buffer.concat(frames);
  }
}

/** Reassembles frames from chunks of any size. Throws RangeError on a header that no peer may send. */
export class FrameReader {
  private pending: Buffer = Buffer.alloc(0);

  /** The frames completed by chunk. */
  push(chunk: Buffer): Frame[] {
    let data = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const frames: Frame[] = [];
    while (data.length >= HEADER_SIZE) {
      const length = data.readUInt32LE(8);
      const [type, flags] = [data.readUInt16LE(0), data.readUInt16LE(2)];
      const mayGoOn = type === Type.Container || type === Type.Process;
      if (length > PAYLOAD_MAX || flags > (mayGoOn ? FLAG_MORE : 0))
        throw new RangeError('malformed frame header');
      if (data.length < HEADER_SIZE + length) break;
      const payload = data.subarray(HEADER_SIZE, HEADER_SIZE + length);
      frames.push({ type, flags, id: data.readUInt32LE(4), payload });
      data = data.subarray(HEADER_SIZE + length);
    }
    this.pending = data;
    return frames;
  }
}

/** Collects the records of a structured payload. */
export class Records {
  private readonly parts: Buffer[] = [];

  raw(tag: number, value: Uint8Array): this {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(tag, 0);
    head.writeUInt32LE(value.length, 4);
    this.parts.push(head, Buffer.from(value));
    return this;
  }

  text(tag: number, value: string): this {
    return this.raw(tag, Buffer.from(value, 'utf8'));
  }

  flag(tag: number, set = true): this {
    return set ? this.raw(tag, Buffer.alloc(0)) : this;
  }

  u32(tag: number, ...values: number[]): this {
    const b = Buffer.alloc(4 * values.length);
    values.forEach((v, i) => {
      b.writeUInt32LE(v >>> 0, 4 * i);
    });
    return this.raw(tag, b);
  }

  u64(tag: number, ...values: bigint[]): this {
    const b = Buffer.alloc(8 * values.length);
    values.forEach((v, i) => {
      b.writeBigUInt64LE(BigInt.asUintN(64, v), 8 * i);
    });
    return this.raw(tag, b);
  }

  nested(tag: number, records: Records): this {
    return this.raw(tag, records.bytes());
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}
