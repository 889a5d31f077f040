// SPDX-License-Identifier: MIT
// linux.seccomp (runtime-spec config-linux.md, seccomp). It is checked here, vxn-seccomp compiles
// it, and the guest's agent applies it. This file is loaded only when a configuration has a
// profile.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Records, Tag } from '../channel/protocol.ts';
import { VxnError } from '../host/errors.ts';
import { describeStatus, type Step } from '../host/step.ts';
import {
  integer,
  invalid,
  type Json,
  list,
  object,
  optionalInteger,
  optionalString,
  string,
} from '../spec/read.ts';

const PATH = 'linux.seccomp';
const U32 = 0xffff_ffff;
const EPERM = 1;

/**
 * SECCOMP_RET_* of linux/seccomp.h by action. SCMP_ACT_KILL ends the thread, as libseccomp has
 * always done.
 */
const ACTIONS: Readonly<Record<string, { verdict: number; errno: boolean }>> = {
  SCMP_ACT_KILL: { verdict: 0, errno: false },
  SCMP_ACT_KILL_THREAD: { verdict: 0, errno: false },
  SCMP_ACT_KILL_PROCESS: { verdict: 0x8000_0000, errno: false },
  SCMP_ACT_TRAP: { verdict: 0x0003_0000, errno: false },
  SCMP_ACT_ERRNO: { verdict: 0x0005_0000, errno: true },
  SCMP_ACT_TRACE: { verdict: 0x7ff0_0000, errno: true },
  SCMP_ACT_LOG: { verdict: 0x7ffc_0000, errno: false },
  SCMP_ACT_ALLOW: { verdict: 0x7fff_0000, errno: false },
};

/** enum scmp_compare of seccomp.h. */
const OPERATORS: Readonly<Record<string, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

const ARCHITECTURES: readonly string[] =
  'X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PARISC PARISC64 PPC PPC64 PPC64LE RISCV64 S390 S390X SH SHEB'
    .split(' ')
    .map((name) => `SCMP_ARCH_${name}`);

/**
 * SECCOMP_FILTER_FLAG_* of linux/seccomp.h. The process has one thread when the filter is set, so
 * TSYNC changes nothing.
 */
const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

/** The seccomp section of `features` (runtime-spec features-linux.md, seccomp). */
export const SECCOMP_FEATURES = {
  enabled: true,
  actions: Object.keys(ACTIONS),
  operators: Object.keys(OPERATORS),
  archs: ARCHITECTURES,
  knownFlags: Object.keys(FLAGS),
  supportedFlags: Object.keys(FLAGS),
};

function named<T>(table: Readonly<Record<string, T>>, value: unknown, path: string, what: string): T {
  const name = string(value, path);
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) throw invalid(path, `is not ${what}: "${name}"`);
  return found;
}

function verdict(action: unknown, path: string, errnoRet: unknown, errnoPath: string): number {
  if (action === 'SCMP_ACT_NOTIFY') {
    throw new VxnError('UNSUPPORTED', `config.json: ${path}: SCMP_ACT_NOTIFY is not supported`, {
      hint: 'a program in Dom0 cannot answer for system calls of a virtual machine',
    });
  }
  const { verdict, errno } = named(ACTIONS, action, path, 'a seccomp action');
  const number = optionalInteger(errnoRet, errnoPath, 0, 0xffff);
  if (number !== undefined && !errno) throw invalid(errnoPath, `has no effect with ${String(action)}`);
  return errno ? (verdict | (number ?? EPERM)) >>> 0 : verdict;
}

// JSON.parse rounds numbers above 2^53, so exactNumbers() hands them over as strings.
function u64(value: unknown, path: string): bigint {
  if (typeof value === 'string' && /^\d{16,20}$/.test(value) && BigInt(value) < 1n << 64n)
    return BigInt(value);
  return BigInt(integer(value, path, 0, Number.MAX_SAFE_INTEGER));
}

function argument(value: unknown, path: string): { index: number; op: number; a: bigint; b: bigint } {
  const arg = object(value, path);
  return {
    index: integer(arg.index, `${path}.index`, 0, 5),
    op: named(OPERATORS, arg.op, `${path}.op`, 'a seccomp operator'),
    a: u64(arg.value, `${path}.value`),
    b: u64(arg.valueTwo ?? 0, `${path}.valueTwo`),
  };
}

function rule(value: unknown, path: string): Records {
  const syscall = object(value, path);
  const names = list(syscall.names, `${path}.names`, string);
  if (names.length === 0) throw invalid(`${path}.names`, 'must not be empty');
  const action = verdict(syscall.action, `${path}.action`, syscall.errnoRet, `${path}.errnoRet`);
  const records = new Records().u32(Tag.ProfileAction, action);
  for (const [i, name] of names.entries()) {
    if (name === '') throw invalid(`${path}.names[${i}]`, 'must not be empty');
    records.text(Tag.ProfileName, name);
  }
  for (const { index, op, a, b } of list(syscall.args, `${path}.args`, argument)) {
    const data = Buffer.alloc(24);
    data.writeUInt32LE(index, 0);
    data.writeUInt32LE(op, 4);
    data.writeBigUInt64LE(a, 8);
    data.writeBigUInt64LE(b, 16);
    records.raw(Tag.ProfileArg, data);
  }
  return records;
}

function flags(value: unknown): number {
  if (value === undefined || value === null) return FLAGS.SECCOMP_FILTER_FLAG_SPEC_ALLOW ?? 0;
  const all = list(value, `${PATH}.flags`, (v, at) => named(FLAGS, v, at, 'a flag for seccomp filters'));
  return all.reduce((set, flag) => set | flag, 0);
}

function architecture(value: unknown, path: string): string {
  const name = string(value, path);
  if (!ARCHITECTURES.includes(name)) throw invalid(path, `is not an architecture: "${name}"`);
  return name.slice('SCMP_ARCH_'.length).toLowerCase();
}

// The same configuration with the long numbers of conditions as strings. Within a JSON string
// quotes are escaped, so only names of properties match.
function exactNumbers(text: string): Json {
  const exact = text.replace(/"(value|valueTwo)"(\s*:\s*)(\d{16,})/g, '"$1"$2"$3"');
  return object(object(JSON.parse(exact), 'config.json').linux, 'linux');
}

/**
 * The profile of a configuration in the form that vxn-seccomp reads, or undefined when there is
 * none. text is the whole of config.json, and linux is its parsed section. Throws INVALID_SPEC,
 * UNSUPPORTED.
 */
export function parseSeccomp(linux: Json, text: string): Buffer | undefined {
  const long = /"value(Two)?"\s*:\s*\d{16,}/.test(text);
  const seccomp = object((long ? exactNumbers(text) : linux).seccomp, PATH);
  const syscalls = list(seccomp.syscalls, `${PATH}.syscalls`, rule);
  // An empty profile counts as none, as with runc.
  if ((seccomp.defaultAction === undefined || seccomp.defaultAction === '') && syscalls.length === 0)
    return undefined;
  if ((optionalString(seccomp.listenerPath, `${PATH}.listenerPath`) ?? '') !== '') {
    throw new VxnError('UNSUPPORTED', `config.json: ${PATH}.listenerPath is not supported`, {
      hint: 'a program in Dom0 cannot answer for system calls of a virtual machine',
    });
  }
  const otherwise = verdict(
    seccomp.defaultAction,
    `${PATH}.defaultAction`,
    seccomp.defaultErrnoRet,
    `${PATH}.defaultErrnoRet`,
  );
  const records = new Records()
    .u32(Tag.ProfileFlags, flags(seccomp.flags))
    .u32(Tag.ProfileDefault, otherwise & U32);
  for (const arch of list(seccomp.architectures, `${PATH}.architectures`, architecture))
    records.text(Tag.ProfileArch, arch);
  for (const syscall of syscalls) records.nested(Tag.ProfileRule, syscall);
  return records.bytes();
}

/**
 * The step that compiles a profile of parseSeccomp() into file. The file then has the value of a
 * SECCOMP record. The step fails with INVALID_SPEC, or with HOST when vxn-seccomp cannot be run.
 */
export function seccompStep(libexecDir: string, profile: Buffer, file: string): Step {
  const command = join(libexecDir, 'vxn-seccomp');
  const source = `${file}.profile`;
  writeFileSync(source, profile, { mode: 0o600 });
  return {
    name: 'seccomp',
    argv: [command, source, file],
    failure: (status, stderr) =>
      status === 127
        ? new VxnError('HOST', stderr, {
            hint: 'config.json has a seccomp profile, which this program compiles',
          })
        : new VxnError('INVALID_SPEC', `config.json: ${PATH}: ${stderr || describeStatus(status)}`),
  };
}
