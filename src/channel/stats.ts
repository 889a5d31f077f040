// SPDX-License-Identifier: MIT
// The guest's own figures. They come from the guest, which may say what it likes: they are shown, and decide nothing but
// whether an update is sensible.
import { VxnError } from '../host/errors.ts';
import type { Control } from './control.ts';
import { encodeFrame, Tag, Type } from './protocol.ts';

export interface GuestStats {
  /** Bytes. Of the whole guest, but pids. */
  memoryTotal: number;
  memoryAvailable: number;
  memoryCached: number;
  /** Nanoseconds. */
  uptime: number;
  cpu: number;
  cpuUser: number;
  /** Online. */
  cpus: number;
  /** Of the container. */
  pids: number;
  /** Processes that the guest's kernel has killed for want of memory. */
  oomKills: number;
}

const FIELDS: Readonly<Record<number, keyof GuestStats>> = {
  [Tag.StatUptimeNs]: 'uptime',
  [Tag.StatMemTotal]: 'memoryTotal',
  [Tag.StatMemAvailable]: 'memoryAvailable',
  [Tag.StatCpuNs]: 'cpu',
  [Tag.StatPids]: 'pids',
  [Tag.StatCpuUserNs]: 'cpuUser',
  [Tag.StatCpus]: 'cpus',
  [Tag.StatMemCached]: 'memoryCached',
  [Tag.StatOomKills]: 'oomKills',
};

/**
 * The payload of a STATS frame. Tags that are not known are skipped, figures that are missing are 0; undefined when it is
 * malformed.
 */
export function parseStats(payload: Buffer): GuestStats | undefined {
  const stats: GuestStats = {
    memoryTotal: 0,
    memoryAvailable: 0,
    memoryCached: 0,
    uptime: 0,
    cpu: 0,
    cpuUser: 0,
    cpus: 0,
    pids: 0,
    oomKills: 0,
  };
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < 8 || payload.readUInt16LE(at + 2) !== 0) return undefined;
    const field = FIELDS[payload.readUInt16LE(at)];
    const length = payload.readUInt32LE(at + 4);
    at += 8;
    if (length > payload.length - at) return undefined;
    if (field !== undefined) {
      if (length !== 4 && length !== 8) return undefined;
      stats[field] = length === 8 ? Number(payload.readBigUInt64LE(at)) : payload.readUInt32LE(at);
    }
    at += length;
  }
  // Whatever a guest says, nobody has to cope with more used than there is.
  stats.memoryAvailable = Math.min(stats.memoryAvailable, stats.memoryTotal);
  stats.cpuUser = Math.min(stats.cpuUser, stats.cpu);
  return stats;
}

/**
 * Asks the guest behind an open control socket; waits for as long as it boots or is paused, at most timeoutMs. undefined when
 * there was no answer, or the container ended. Throws UNSUPPORTED for a guest that has none.
 */
export async function askStats(control: Control, timeoutMs?: number): Promise<GuestStats | undefined> {
  await control.send(encodeFrame(Type.Stats, 1));
  const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  for (;;) {
    const frame = await control.receive(
      deadline === undefined ? undefined : Math.max(1, deadline - performance.now()),
    );
    if (frame === undefined) return undefined;
    if (frame.type === Type.StatsReply) return parseStats(frame.payload);
    if (frame.type === Type.Refused) throw new VxnError('UNSUPPORTED', frame.payload.toString('utf8', 4));
  }
}
