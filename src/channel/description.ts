// SPDX-License-Identifier: MIT
// A checked configuration -> the CONTAINER and PROCESS payloads of docs/protocol.md.

import { parseMountOptions } from '../spec/mount-options.ts';
import type { Mount, Process, Spec } from '../spec/spec.ts';
import { Records, Tag } from './protocol.ts';

/** The id of a domain's only container, and that of its first process: two number spaces. */
export const FIRST = 1;
/** The id that an exec's own connection gives its process: the monitor gives it another in the guest. */
export const EXEC = 2;

const MS_RDONLY = 1n;

function mountRecords(mount: Mount, bindIndex: number | undefined): Records {
  const { flags, propagation, data } = parseMountOptions(mount.options);
  const records = new Records().text(Tag.MountDest, mount.destination);
  if (bindIndex === undefined) {
    records.text(Tag.MountType, mount.type).u64(Tag.MountFlags, flags);
    if (data !== '') records.text(Tag.MountData, data);
  } else {
    // A copy that could be written to would look shared and not be.
    records.text(Tag.MountBind, String(bindIndex)).u64(Tag.MountFlags, flags | MS_RDONLY);
  }
  if (propagation !== 0n) records.u64(Tag.MountPropagation, propagation);
  return records;
}

/**
 * The container's root and namespaces. bindIndex says which entry of the bind area a mount shows, if any; rootDisk is the
 * root's device.
 */
export function describeContainer(
  spec: Spec,
  bindIndex: (mount: Mount) => number | undefined,
  bindBytes: number,
  rootDisk = 'xvda',
): Buffer {
  const r = new Records().text(Tag.RootDisk, rootDisk).flag(Tag.RootReadonly, spec.root.readonly);
  if (spec.hostname !== undefined) r.text(Tag.Hostname, spec.hostname);
  if (spec.domainname !== undefined) r.text(Tag.Domainname, spec.domainname);
  if (spec.rootPropagation !== 0n) r.u64(Tag.RootPropagation, spec.rootPropagation);
  if (bindBytes > 0) r.u64(Tag.BindSize, BigInt(bindBytes));
  for (const mount of spec.mounts) r.nested(Tag.Mount, mountRecords(mount, bindIndex(mount)));
  for (const path of spec.maskedPaths) r.text(Tag.MaskedPath, path);
  for (const path of spec.readonlyPaths) r.text(Tag.ReadonlyPath, path);
  for (const [key, value] of Object.entries(spec.sysctl)) r.text(Tag.Sysctl, `${key}\0${value}`);
  for (const d of spec.devices) {
    const device = new Records()
      .text(Tag.DevPath, d.path)
      .text(Tag.DevType, d.type)
      .u32(Tag.DevMajor, d.major)
      .u32(Tag.DevMinor, d.minor)
      .u32(Tag.DevMode, d.mode & 0o7777)
      .u32(Tag.DevUid, d.uid)
      .u32(Tag.DevGid, d.gid);
    r.nested(Tag.Device, device);
  }
  return r.bytes();
}

/**
 * One process of the container; init for its first. seccomp is the value of its SECCOMP record, if it has one.
 * TERMINAL is the monitor's to add: it knows the size.
 */
export function describeProcess(process: Process, init: boolean, seccomp: Buffer | undefined): Buffer {
  const r = new Records().u32(Tag.ContainerId, FIRST).flag(Tag.Init, init);
  for (const arg of process.args) r.text(Tag.Arg, arg);
  for (const entry of process.env) r.text(Tag.Env, entry);
  r.text(Tag.Cwd, process.cwd).u32(Tag.Uid, process.uid).u32(Tag.Gid, process.gid);
  for (const group of process.additionalGids) r.u32(Tag.Group, group);
  if (process.umask !== undefined) r.u32(Tag.Umask, process.umask);
  for (const { type, soft, hard } of process.rlimits) r.u64(Tag.Rlimit, BigInt(type), soft, hard);
  const c = process.capabilities;
  if (c !== undefined) r.u64(Tag.Caps, c.bounding, c.effective, c.inheritable, c.permitted, c.ambient);
  r.flag(Tag.NoNewPrivileges, process.noNewPrivileges);
  if (process.oomScoreAdj !== undefined) r.u32(Tag.OomScoreAdj, process.oomScoreAdj);
  if (seccomp !== undefined) r.raw(Tag.Seccomp, seccomp);
  return r.bytes();
}

/** A hook as config.json has it. */
export interface Hook {
  path: string;
  args: string[];
  /** undefined: what the runtime, or in the guest the program, has itself. */
  env: string[] | undefined;
  /** Seconds. */
  timeout: number | undefined;
}

/** The HOOK record of a container's first process. stage 1: createContainer, 2: startContainer; env is for a hook without one. */
export function hookRecords(stage: 1 | 2, hook: Hook, env: readonly string[], input: string): Buffer {
  const r = new Records().u32(Tag.HookStage, stage).text(Tag.HookPath, hook.path);
  for (const arg of hook.args) r.text(Tag.HookArg, arg);
  for (const entry of hook.env ?? env) r.text(Tag.HookEnv, entry);
  if (hook.timeout !== undefined) r.u32(Tag.HookTimeout, hook.timeout);
  r.text(Tag.HookInput, input);
  return new Records().nested(Tag.Hook, r).bytes();
}
