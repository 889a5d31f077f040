// SPDX-License-Identifier: MIT
// Frames and records of the guest channel; docs/protocol.md is the specification, test/vectors hold both sides to it.

export const PROTOCOL_VERSION = 2;
export const HEADER_SIZE = 12;
export const PAYLOAD_MAX = 65536;
export const DESCRIPTION_MAX = 4 << 20;
/** Of the TERMINAL record, which the monitor adds to a PROCESS. */
export const TERMINAL_BYTES = 12;
/** Bytes of a SECCOMP record at most: its header, the flags, and as many instructions as Linux takes. */
export const SECCOMP_MAX = 8 + 4 + 8 * 4096;
const FLAG_MORE = 1;

/**
 * Frame types that the runtime sends or reads. Bits 8 to 11 say what the frame's id names: the
 * domain (0), a container (1), a process (2), or the monitor itself (4).
 */
export const Type = {
  Stats: 0x0003,
  Container: 0x0101,
  File: 0x0102,
  FileData: 0x0103,
  Process: 0x0201,
  Stdin: 0x0202,
  StdinEof: 0x0203,
  Credit: 0x0204,
  Signal: 0x0205,
  Resize: 0x0206,
  Kill: 0x0401,
  Status: 0x0402,
  Start: 0x0403,
  Paused: 0x0404,
  Pids: 0x0405,
  Join: 0x0406,
  StatsReply: 0x8003,
  ContainerOk: 0x8101,
  ContainerFailed: 0x8102,
  Started: 0x8201,
  ProcessFailed: 0x8202,
  Stdout: 0x8203,
  Stderr: 0x8204,
  Eof: 0x8205,
  GuestCredit: 0x8206,
  Exit: 0x8207,
  Refused: 0x8400,
  StatusReply: 0x8402,
  PidsReply: 0x8405,
} as const;

/** Record tags: a range for each payload. */
export const Tag = {
  RootDisk: 0x0101,
  RootReadonly: 0x0102,
  Hostname: 0x0103,
  Domainname: 0x0104,
  Mount: 0x0105,
  MaskedPath: 0x0106,
  ReadonlyPath: 0x0107,
  Sysctl: 0x0108,
  Device: 0x0109,
  RootFstype: 0x010a,
  BindSize: 0x010b,
  RootPropagation: 0x010c,
  MountType: 0x0201,
  MountDest: 0x0202,
  MountFlags: 0x0203,
  MountData: 0x0204,
  MountBind: 0x0205,
  MountPropagation: 0x0206,
  DevPath: 0x0301,
  DevType: 0x0302,
  DevMajor: 0x0303,
  DevMinor: 0x0304,
  DevMode: 0x0305,
  DevUid: 0x0306,
  DevGid: 0x0307,
  FilePath: 0x0401,
  FileMode: 0x0402,
  FileUid: 0x0403,
  FileGid: 0x0404,
  FileMtime: 0x0405,
  FileLink: 0x0406,
  ContainerId: 0x0501,
  Init: 0x0502,
  Arg: 0x0503,
  Env: 0x0504,
  Cwd: 0x0505,
  Uid: 0x0506,
  Gid: 0x0507,
  Group: 0x0508,
  Umask: 0x0509,
  Rlimit: 0x050a,
  Caps: 0x050b,
  NoNewPrivileges: 0x050c,
  OomScoreAdj: 0x050d,
  Terminal: 0x050e,
  Seccomp: 0x050f,
  Hook: 0x0510,
  HookStage: 0x0601,
  HookPath: 0x0602,
  HookArg: 0x0603,
  HookEnv: 0x0604,
  HookTimeout: 0x0605,
  HookInput: 0x0606,
  StatUptimeNs: 0x0901,
  StatMemTotal: 0x0902,
  StatMemAvailable: 0x0903,
  StatCpuNs: 0x0904,
  StatPids: 0x0905,
  StatCpuUserNs: 0x0906,
  StatCpus: 0x0907,
  StatMemCached: 0x0908,
  StatOomKills: 0x0909,
  ProfileFlags: 0x0a01,
  ProfileDefault: 0x0a02,
  ProfileArch: 0x0a03,
  ProfileRule: 0x0a04,
  ProfileAction: 0x0a05,
  ProfileName: 0x0a06,
  ProfileArg: 0x0a07,
  JoinMode: 0x0b01,
  JoinBridge: 0x0b02,
  JoinMac: 0x0b03,
  JoinAddress: 0x0b04,
  JoinGateway: 0x0b05,
  JoinResolver: 0x0b06,
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
