// SPDX-License-Identifier: MIT
// Profiles, compiled by the real vxn-seccomp; its filters are run by an interpreter of the test's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSeccomp, SECCOMP_FEATURES, seccompStep } from '../../src/container/seccomp.ts';
import { ARCH, NATIVE, systemCalls, verdictOf } from '../fixtures/seccomp.ts';
import { configJson } from '../fixtures/spec.ts';
import { runSteps } from '../fixtures/steps.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const NATIVE_BUILD = join(import.meta.dirname, '../../native/build/fake');
mkdirSync(NATIVE_BUILD, { recursive: true });
execFileSync('flock', [
  NATIVE_BUILD,
  'make',
  '-s',
  '-C',
  join(NATIVE_BUILD, '../..'),
  'XEN=0',
  `BUILD=${NATIVE_BUILD}`,
  'seccomp',
]);

const ALLOW = 0x7fff0000;
const KILL_THREAD = 0;
const errno = (number: number): number => 0x50000 | number;
const EPERM = errno(1);
const ENOSYS = errno(38);
const calls = systemCalls();
const number = (name: string): number => calls.get(name) ?? assert.fail(`no system call ${name}`);
const LAST = Math.max(...calls.values());
const folder = temporaryFolder();

type Json = Record<string, unknown>;
const parse = (seccomp: unknown, text?: string): Buffer | undefined => {
  const config = configJson({ linux: { seccomp } });
  return parseSeccomp(config.linux as Json, text ?? JSON.stringify(config));
};

function compile(seccomp: unknown, text?: string): Buffer {
  const profile = parse(seccomp, text);
  assert.ok(profile !== undefined);
  const file = join(folder, 'filter');
  runSteps([seccompStep(NATIVE_BUILD, profile, file)]);
  return readFileSync(file);
}

/** The verdict on a call of this machine. */
const ask = (filter: Buffer, name: string | number, ...args: (number | bigint)[]): number =>
  verdictOf(filter, {
    arch: NATIVE,
    number: typeof name === 'string' ? number(name) : name,
    args: args.map((arg) => BigInt(arg)),
  });

const allow = (...names: string[]): Json => ({ names, action: 'SCMP_ACT_ALLOW' });

test('a list of what is allowed: the rest gets EPERM, what is newer than the list ENOSYS', () => {
  const names = [...calls.keys()].filter((name) => !['mkdir', 'mkdirat'].includes(name));
  const filter = compile({
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures:
      process.arch === 'arm64'
        ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']
        : ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [allow(...names)],
  });
  for (const name of names) assert.equal(ask(filter, name), ALLOW, name);
  assert.equal(ask(filter, 'mkdirat'), EPERM);
  assert.equal(ask(filter, LAST + 1), ENOSYS);
  assert.equal(ask(filter, 0x3fffffff), ENOSYS);
});

if (process.arch !== 'arm64') {
  test('other architectures: the same rules by their own numbers, or the end of those that are not listed', () => {
    const filter = compile({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      syscalls: [allow('read', 'mkdir', 'clone3')],
    });
    // asm/unistd_32.h: mkdir is 39, clone3 435 as everywhere, 436 close_range.
    assert.equal(verdictOf(filter, { arch: ARCH.i386, number: 39 }), ALLOW);
    assert.equal(verdictOf(filter, { arch: ARCH.i386, number: 38 }), EPERM);
    assert.equal(verdictOf(filter, { arch: ARCH.i386, number: 435 }), ALLOW);
    assert.equal(verdictOf(filter, { arch: ARCH.i386, number: 436 }), ENOSYS);
    assert.equal(ask(filter, 'clone3'), ALLOW);
    assert.equal(ask(filter, 436), ENOSYS);
    assert.equal(verdictOf(filter, { arch: ARCH.aarch64, number: 63 }), KILL_THREAD);
    // An x32 call is x86_64's with a bit in its number.
    assert.equal(ask(filter, 0x40000000), KILL_THREAD);
  });

  test('x32 beside x86_64: each with its own highest number', () => {
    const filter = compile({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'],
      syscalls: [allow('read', 'mkdir')],
    });
    assert.equal(ask(filter, 'mkdir'), ALLOW);
    assert.equal(ask(filter, 'rmdir'), ENOSYS);
    assert.equal(ask(filter, 'getpid'), EPERM);
    assert.equal(ask(filter, 0x40000000 + number('mkdir')), ALLOW);
    assert.equal(ask(filter, 0x40000000 + number('rmdir')), ENOSYS);
    assert.equal(ask(filter, 0x40000000 + number('getpid')), EPERM);
  });
}

const ACTIONS: [action: string, errnoRet: number | undefined, verdict: number][] = [
  ['SCMP_ACT_KILL', undefined, 0],
  ['SCMP_ACT_KILL_THREAD', undefined, 0],
  ['SCMP_ACT_KILL_PROCESS', undefined, 0x80000000],
  ['SCMP_ACT_TRAP', undefined, 0x30000],
  ['SCMP_ACT_ERRNO', undefined, EPERM],
  ['SCMP_ACT_ERRNO', 0, errno(0)],
  ['SCMP_ACT_ERRNO', 13, errno(13)],
  ['SCMP_ACT_TRACE', 5, 0x7ff00005],
  ['SCMP_ACT_LOG', undefined, 0x7ffc0000],
];
for (const [action, errnoRet, verdict] of ACTIONS) {
  test(`${action} ${errnoRet ?? ''} as a rule and as the default`, () => {
    const rule = compile({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdirat'], action, errnoRet }],
    });
    assert.equal(ask(rule, 'mkdirat'), verdict);
    assert.equal(ask(rule, 'read'), ALLOW);
    assert.equal(ask(rule, LAST + 1), ALLOW, 'a filter that lets through says nothing of new calls');
    const otherwise = compile({
      defaultAction: action,
      defaultErrnoRet: errnoRet,
      syscalls: [allow('read')],
    });
    assert.equal(ask(otherwise, 'read'), ALLOW);
    // Lower than read's number there is nothing on some machines; above the highest named number the stub answers.
    const lower = compile({ defaultAction: action, defaultErrnoRet: errnoRet, syscalls: [allow('clone3')] });
    assert.equal(ask(lower, 'mkdirat'), verdict);
    const lenient = ['SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(action);
    assert.equal(ask(lower, LAST + 1), lenient ? verdict : ENOSYS);
  });
}

const CONDITIONS: [op: string, value: number, valueTwo: number, yes: bigint[], no: bigint[]][] = [
  ['SCMP_CMP_EQ', 5, 0, [5n], [4n, 6n, 5n + (1n << 32n)]],
  ['SCMP_CMP_NE', 5, 0, [4n, 5n + (1n << 32n)], [5n]],
  ['SCMP_CMP_LT', 5, 0, [0n, 4n], [5n, 1n << 40n]],
  ['SCMP_CMP_LE', 5, 0, [5n], [6n]],
  ['SCMP_CMP_GT', 5, 0, [6n, 1n << 40n], [5n]],
  ['SCMP_CMP_GE', 5, 0, [5n, 0xffff_ffff_ffff_ffffn], [4n]],
  ['SCMP_CMP_MASKED_EQ', 0x7e020000, 0, [0n, 17n, 1n << 40n], [0x10000000n, 0x00020000n]],
  ['SCMP_CMP_MASKED_EQ', 0xf, 3, [3n, 0x13n], [2n, 7n]],
];
for (const [op, value, valueTwo, yes, no] of CONDITIONS) {
  test(`a condition: argument 2 ${op} ${value} ${valueTwo}`, () => {
    const filter = compile({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ ...allow('fcntl'), args: [{ index: 2, value, valueTwo, op }] }, allow('clone3')],
    });
    for (const arg of yes) assert.equal(ask(filter, 'fcntl', 0, 0, arg), ALLOW, String(arg));
    for (const arg of no) assert.equal(ask(filter, 'fcntl', 0, 0, arg), EPERM, String(arg));
  });
}

test('conditions on several arguments hold together, on one argument each is enough', () => {
  const filter = compile({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { ...allow('fcntl'), args: [0, 1].map((index) => ({ index, value: 7, op: 'SCMP_CMP_EQ' })) },
      { ...allow('personality'), args: [0, 8].map((value) => ({ index: 0, value, op: 'SCMP_CMP_EQ' })) },
      allow('clone3'),
    ],
  });
  assert.deepEqual([ask(filter, 'fcntl', 7, 7), ask(filter, 'fcntl', 7, 8)], [ALLOW, EPERM]);
  assert.deepEqual(
    [0, 8, 5].map((arg) => ask(filter, 'personality', arg)),
    [ALLOW, ALLOW, EPERM],
  );
});

test('a number of 64 bits is exact', () => {
  const args = (words: string): string => `[{"index": 0, ${words}}]`;
  const exact = (words: string): Buffer => {
    const text = `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
      {"names": ["clone3"], "action": "SCMP_ACT_ALLOW"},
      {"names": ["fcntl"], "action": "SCMP_ACT_ALLOW", "args": ${args(words)}}]}},
      "annotations": {"note": "\\"value\\": 18446744073709551614"}}`;
    return compile((JSON.parse(text).linux as Json).seccomp, text);
  };
  const odd = exact('"value" : 9007199254740993, "op": "SCMP_CMP_EQ"');
  assert.deepEqual(
    [9007199254740992n, 9007199254740993n].map((n) => ask(odd, 'fcntl', n)),
    [EPERM, ALLOW],
  );
  const masked = exact('"value": 18446744073709551614, "valueTwo": 4, "op": "SCMP_CMP_MASKED_EQ"');
  assert.deepEqual(
    [4n, 5n, 6n].map((n) => ask(masked, 'fcntl', n)),
    [ALLOW, ALLOW, EPERM],
  );
});

test('unknown system calls are ignored, rules that say what the default says too', () => {
  const filter = compile({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      allow('no_such_call', 'x'.repeat(500), 'clone3'),
      { names: ['mkdirat', 'neither_this'], action: 'SCMP_ACT_ERRNO' },
      { names: ['chroot'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
    ],
  });
  assert.deepEqual(
    [ask(filter, 'clone3'), ask(filter, 'mkdirat'), ask(filter, 'chroot')],
    [ALLOW, EPERM, errno(13)],
  );
});

test('flags: SPEC_ALLOW unless something else is said', () => {
  const flagsOf = (flags?: unknown): number =>
    compile({ defaultAction: 'SCMP_ACT_ALLOW', flags }).readUInt32LE(0);
  assert.equal(flagsOf(), 4);
  assert.equal(flagsOf([]), 0);
  assert.equal(
    flagsOf(['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC']),
    6,
  );
});

test('an empty profile is none', () => {
  assert.equal(parse({}), undefined);
  assert.equal(parse({ architectures: ['SCMP_ARCH_X86_64'], syscalls: [] }), undefined);
});

const INVALID: [name: string, seccomp: unknown, text: string][] = [
  ['no object', [], 'linux.seccomp must be an object'],
  [
    'an unknown action',
    { defaultAction: 'SCMP_ACT_SHRUG' },
    'linux.seccomp.defaultAction is not a seccomp action: "SCMP_ACT_SHRUG"',
  ],
  ['no default action', { syscalls: [allow('read')] }, 'linux.seccomp.defaultAction must be a string'],
  ['a name of Object', { defaultAction: 'constructor' }, 'is not a seccomp action: "constructor"'],
  [
    'an errno of an action that has none',
    { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 },
    'linux.seccomp.defaultErrnoRet has no effect with SCMP_ACT_ALLOW',
  ],
  [
    'an errno beyond 16 bits',
    { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 65536 },
    'linux.seccomp.defaultErrnoRet must be from 0 to 65535',
  ],
  [
    'an unknown architecture',
    { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_PDP11'] },
    'linux.seccomp.architectures[0] is not an architecture: "SCMP_ARCH_PDP11"',
  ],
  [
    'an unknown flag',
    { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_FAST'] },
    'linux.seccomp.flags[0] is not a flag for seccomp filters: "SECCOMP_FILTER_FLAG_FAST"',
  ],
  [
    'a rule without names',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ action: 'SCMP_ACT_KILL' }] },
    'linux.seccomp.syscalls[0].names must not be empty',
  ],
  [
    'an empty name',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [allow('')] },
    'linux.seccomp.syscalls[0].names[0] must not be empty',
  ],
  [
    'an unknown operator',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ ...allow('read'), args: [{ index: 0, value: 1, op: '==' }] }],
    },
    'linux.seccomp.syscalls[0].args[0].op is not a seccomp operator: "=="',
  ],
  [
    'a seventh argument',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ ...allow('read'), args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }],
    },
    'linux.seccomp.syscalls[0].args[0].index must be from 0 to 5',
  ],
  [
    'a negative value',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ ...allow('read'), args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }],
    },
    'linux.seccomp.syscalls[0].args[0].value must be from 0 to ',
  ],
];
for (const [name, seccomp, text] of INVALID) {
  test(`refused: ${name}`, () => throwsVxn(() => parse(seccomp), 'INVALID_SPEC', text));
}

const UNSUPPORTED: [name: string, seccomp: Json][] = [
  ['listenerPath', { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/agent.sock' }],
  ['SCMP_ACT_NOTIFY', { defaultAction: 'SCMP_ACT_NOTIFY' }],
  [
    'SCMP_ACT_NOTIFY',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] },
  ],
];
for (const [name, seccomp] of UNSUPPORTED) {
  test(`refused, since nobody in Dom0 could answer: ${name}`, () =>
    throwsVxn(() => parse(seccomp), 'UNSUPPORTED', `${name} is not supported`));
}

test('what only libseccomp can refuse is an error of create, too', () => {
  const foreign = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_S390X'],
    syscalls: [allow('read')],
  };
  throwsVxn(
    () => compile(foreign),
    'INVALID_SPEC',
    'config.json: linux.seccomp: the architecture s390x cannot be in the filter',
  );
  const profile = parse({ defaultAction: 'SCMP_ACT_ALLOW' }) ?? Buffer.alloc(0);
  throwsVxn(
    () => runSteps([seccompStep('/no', profile, join(folder, 'x'))]),
    'HOST',
    '/no/vxn-seccomp: command not found (config.json has a seccomp profile',
  );
});

test('features lists what is taken', () => {
  assert.ok(SECCOMP_FEATURES.actions.includes('SCMP_ACT_KILL_PROCESS'));
  assert.ok(!SECCOMP_FEATURES.actions.includes('SCMP_ACT_NOTIFY'));
  assert.ok(SECCOMP_FEATURES.archs.includes('SCMP_ARCH_AARCH64'));
});
