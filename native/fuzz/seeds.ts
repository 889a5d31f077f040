// SPDX-License-Identifier: MIT
// The seed corpus of guest_fuzz: every vector of the guest's side by itself, and some whole lives of a container.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VECTORS = join(import.meta.dirname, '../../test/vectors');
const CORPUS = join(import.meta.dirname, 'corpus');
// The choices of guest_fuzz.c: start the program, run others, let their client leave, read nothing, output without bytes, ask for
// statistics.
const [STARTS, EXECS, LEAVES, SLOW, COMPACT, ASKS] = [1, 2, 4, 8, 16, 32];

function fields(name: string): string[][] {
  const lines = readFileSync(join(VECTORS, name), 'utf8').split('\n');
  return lines.filter((l) => l !== '' && !l.startsWith('#')).map((l) => l.split('|'));
}

const frames = new Map(fields('frames.txt').map((f) => [f[0] ?? '', Buffer.from(f[5] ?? '', 'hex')]));
const frame = (name: string, id?: number): Buffer => {
  const bytes = Buffer.from(frames.get(name) ?? Buffer.alloc(0));
  if (id !== undefined) bytes.writeUInt32LE(id, 4);
  return bytes;
};

const hello = frame('guest-hello');
const life = [hello, frame('container-ok', 1), frame('started', 1), frame('stdout', 1), frame('stderr', 1)];
const end = [frame('eof-stderr', 1), frame('exit', 1)];
const exec = [frame('started', 2), frame('stdout', 2), frame('guest-credit', 2), frame('exit', 2)];

/** Only the header of so much output of a process. */
function output(stream: 'stdout' | 'stderr', id: number, length: number): Buffer {
  const header = Buffer.from(frame(stream, id).subarray(0, 12));
  header.writeUInt32LE(length, 8);
  return header;
}
const flood = (id: number, times: number): Buffer[] =>
  Array.from({ length: times }, () => output('stdout', id, 65536));

const seeds: [name: string, choices: number, chunk: number, parts: Buffer[]][] = [
  ['life', STARTS, 255, [...life, ...end]],
  ['life-in-bytes', STARTS, 0, [...life, ...end]],
  ['life-unread', STARTS | SLOW, 63, [...life, ...end]],
  ['failed', STARTS, 255, [hello, frame('container-ok', 1), frame('process-failed', 1)]],
  ['failed-container', STARTS, 255, [hello, frame('container-failed', 1)]],
  ['exec', STARTS | EXECS, 11, [...life, ...exec, ...end]],
  ['exec-left', STARTS | EXECS | LEAVES, 11, [...life, frame('log'), ...exec, ...exec, ...end]],
  ['window', STARTS | COMPACT, 255, [hello, frame('started', 1), ...flood(1, 4), ...end]],
  ['window-passed', STARTS | SLOW | COMPACT, 255, [hello, frame('started', 1), ...flood(1, 5), ...end]],
  [
    'window-exec',
    STARTS | EXECS | COMPACT,
    255,
    [hello, frame('started', 1), frame('started', 2), ...flood(2, 5)],
  ],
  [
    'window-left',
    STARTS | EXECS | LEAVES | COMPACT,
    127,
    [hello, frame('started', 1), ...flood(2, 9), ...end],
  ],
  ['stats', STARTS | ASKS, 255, [...life, frame('guest-stats', 1), frame('guest-stats', 2), ...end]],
  ['stats-left', STARTS | ASKS | LEAVES, 255, [...life, frame('log'), frame('log'), frame('guest-stats', 1)]],
  [
    'names',
    STARTS,
    255,
    [...life, frame('dns-udp', 3), frame('dns-tcp', 4), ...Array(70).fill(frame('dns-udp', 9)), ...end],
  ],
  ['never-started', 0, 255, [hello, frame('log')]],
];
for (const [name, bytes] of frames) seeds.push([`frame-${name}`, STARTS, 255, [hello, bytes]]);
for (const [name, hex] of fields('bad-frames.txt')) {
  seeds.push([`bad-${name}`, STARTS, 255, [hello, Buffer.from(hex ?? '', 'hex')]]);
}

rmSync(CORPUS, { recursive: true, force: true });
mkdirSync(CORPUS);
for (const [name, choices, chunk, parts] of seeds) {
  writeFileSync(join(CORPUS, name), Buffer.concat([Buffer.from([choices, chunk]), ...parts]));
}
