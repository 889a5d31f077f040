// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ANNOTATION_NAMES,
  ANNOTATION_PREFIX,
  type AnnotationName,
  Annotations,
  DEFAULT_ALLOWED,
  valueText,
} from '../../src/spec/annotations.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const read = (name: string, value: string, allowed: readonly string[] = ['*']): Annotations =>
  Annotations.read({ [`${ANNOTATION_PREFIX}${name}`]: value, 'io.other': 'x' }, allowed);

const GOOD: [name: AnnotationName, value: string, read: number | string][] = [
  ['memory', '64', 64],
  ['memory', '16777216', 16777216],
  ['maxmem', '0512', 512],
  ['vcpus', '1', 1],
  ['maxvcpus', '128', 128],
  ['cpus', '0-3,6', '0-3,6'],
  ['weight', '65535', 65535],
  ['cap', '0', 0],
  ['root-free', '0', 0],
  ['type', 'pvh', 'pvh'],
  ['kernel', '/a b/c', '/a b/c'],
  ['initrd', '/i', '/i'],
  ['cmdline-extra', 'debug x="1 2"', 'debug x="1 2"'],
];
for (const [name, value, expected] of GOOD) {
  test(`annotation ${name}=${value}`, () => {
    const annotations = read(name, value);
    const got = typeof expected === 'number' ? annotations.number(name) : annotations.text(name);
    assert.equal(got, expected);
  });
}

const BAD: [name: AnnotationName, values: string[]][] = [
  ['memory', ['63', '16777217', '1G', '', ' 64', '-1', '1e3', '0x100', '9999999999']],
  ['maxmem', ['63', '1G']],
  ['vcpus', ['0', '129', '1.5', 'two']],
  ['maxvcpus', ['0', '129']],
  ['cpus', ['', 'all', '3-1', '0-', '-1', '0,,1', '4096', '0-99999', '^1', '0;1']],
  ['weight', ['0', '65536']],
  ['cap', ['-1', '12801', '50%']],
  ['root-free', ['-1', '1G']],
  ['type', ['hvm', 'PV', '']],
  ['kernel', ['', 'boot/vmlinuz', '/a\nb', `/${'x'.repeat(4096)}`]],
  ['initrd', ['initrd', '/\0']],
  ['cmdline-extra', ['', 'a\nb', 'a\tb', 'x'.repeat(1025)]],
];
for (const [name, values] of BAD) {
  test(`annotation ${name}: wrong values`, () => {
    for (const value of values) {
      throwsVxn(
        () => read(name, value),
        'INVALID_SPEC',
        `annotation ${ANNOTATION_PREFIX}${name} must be ${valueText(name)}, not "`,
      );
    }
  });
}

test('an unknown annotation names the nearest one', () => {
  throwsVxn(
    () => read('vcpu', '1'),
    'INVALID_SPEC',
    'unknown annotation org.openembedded.vxn.vcpu (did you mean org.openembedded.vxn.vcpus?)',
  );
  throwsVxn(
    () => read('toString', '1'),
    'INVALID_SPEC',
    'unknown annotation org.openembedded.vxn.toString (',
  );
  throwsVxn(() => read('', '1'), 'INVALID_SPEC', 'unknown annotation');
});

test('one that is not allowed says which setting would allow it', () => {
  throwsVxn(
    () => read('kernel', '/k', DEFAULT_ALLOWED),
    'UNSUPPORTED',
    'annotation org.openembedded.vxn.kernel is not allowed on this host (to allow it, add "kernel" to annotations in /etc/vxn/vxn.yaml)',
  );
  throwsVxn(() => read('memory', '128', []), 'UNSUPPORTED', 'add "memory" to annotations');
  assert.equal(read('maxmem', '128', ['max*']).number('maxmem'), 128);
});

test('those of others are theirs', () => {
  const annotations = Annotations.read({ 'org.openembedded.vxnx.memory': '?', memory: '?' }, []);
  assert.equal(annotations.number('memory'), undefined);
});

test('docs/annotations.md has every annotation, what its value is, and whether it is allowed by default', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/annotations.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \| (yes|no) \|/gm)];
  const documented = rows.map((row) => [row[1], row[2]?.trim(), row[3]]);
  const table = ANNOTATION_NAMES.map((name) => [
    name,
    valueText(name),
    DEFAULT_ALLOWED.includes(name) ? 'yes' : 'no',
  ]);
  assert.deepEqual(documented, table);
});
