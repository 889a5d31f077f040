// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeFrame, Type } from '../../src/channel/protocol.ts';
import { DEFAULTS } from '../../src/config/config.ts';
import { placesOf, STATE_FORMAT } from '../../src/container/container.ts';
import { claim } from '../../src/container/store.ts';
import { domainPlaces } from '../../src/domain/domain.ts';
import { identify, type ProcessId } from '../../src/host/process-id.ts';
import { consoleLog, decodeOutput, programLog } from '../../src/verbs/logs.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const out = (text: string): Buffer => encodeFrame(Type.Stdout, 1, Buffer.from(text));
const err = (text: string): Buffer => encodeFrame(Type.Stderr, 1, Buffer.from(text));
const read = (log: Buffer): string[] => decodeOutput(log).map((o) => `${o.stream}:${o.data}`);

test('streams stay apart and in order; other frames and a cut one are left out', () => {
  const log = Buffer.concat([
    out('a'),
    err('b'),
    encodeFrame(Type.Eof, 1, Buffer.alloc(4)),
    out('c'),
    out('dd'),
  ]);
  assert.deepEqual(read(log), ['stdout:a', 'stderr:b', 'stdout:c', 'stdout:dd']);
  assert.deepEqual(read(log.subarray(0, log.length - 1)), ['stdout:a', 'stderr:b', 'stdout:c']);
  assert.deepEqual(read(Buffer.alloc(0)), []);
});

test('an older piece comes first; the console is given as it is', () => {
  const folder = temporaryFolder();
  const config = { ...DEFAULTS, runDir: join(folder, 'r'), libDir: join(folder, 'l') };
  const places = placesOf(config, '/r', 'c');
  mkdirSync(places.lib, { recursive: true });
  claim(places, {
    format: STATE_FORMAT,
    ociVersion: '1.3.0',
    id: 'c',
    root: '/r',
    bundle: '/b',
    rootfs: '/b/r',
    created: '',
    annotations: {},
    domain: 'u',
    maker: identify(process.pid) as ProcessId,
  });
  assert.deepEqual(programLog(config, '/r', 'c'), []);
  writeFileSync(`${places.outputLog}.1`, out('old'));
  writeFileSync(places.outputLog, err('new'));
  const { lib, consoleLog: console } = domainPlaces(config, 'u');
  mkdirSync(lib, { recursive: true });
  writeFileSync(console, Buffer.from([0, 255, 10]));
  assert.deepEqual(
    programLog(config, '/r', 'c').map((o) => `${o.stream}:${o.data}`),
    ['stdout:old', 'stderr:new'],
  );
  assert.deepEqual([...consoleLog(config, '/r', 'c')], [0, 255, 10]);
  throwsVxn(() => programLog(config, '/r', 'x'), 'DOES_NOT_EXIST', 'container does not exist');
});
