// SPDX-License-Identifier: MIT
// One set of numbers: docs/protocol.md is the specification, native/common/protocol.h and
// src/channel/protocol.ts follow it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROTOCOL_VERSION, Tag, Type } from '../../src/channel/protocol.ts';
import { vectors } from '../fixtures/vectors.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../..', name), 'utf8');

const [SPECIFIED = '', RESERVED = ''] = read('docs/protocol.md').split('\n## Reserved numbers\n');
const HEADER = read('native/common/protocol.h');

/** The numbered rows of a page's tables, as "0x0001 HELLO". */
const rows = (text: string): string[] =>
  [...text.matchAll(/^\| (0x[0-9a-f]{4}) \| (\w+)/gm)].map(([, number, name]) => `${number} ${name}`);

/** The constants of the header whose names have this prefix, in the same form. */
const constants = (prefix: string): string[] =>
  [...HEADER.matchAll(new RegExp(`^ {2}VXN_${prefix}_(\\w+) = (0x[0-9a-f]{4}),$`, 'gm'))].map(
    ([, name, number]) => `${number} ${name}`,
  );

const TYPES = ['H', 'G', 'M'].flatMap(constants);
const TAGS = constants('T');

/** The same names as TypeScript spells them; two are told apart by their direction. */
function spelled(constant: string): string {
  const [number = '', name = ''] = constant.split(' ');
  const told: Record<string, string> = { '0x8003': 'StatsReply', '0x8206': 'GuestCredit' };
  const camel = name.toLowerCase().replace(/(^|_)(.)/g, (_, _between, letter) => letter.toUpperCase());
  return `${number} ${told[number] ?? camel}`;
}

const entries = (table: Readonly<Record<string, number>>): string[] =>
  Object.entries(table).map(([name, number]) => `0x${number.toString(16).padStart(4, '0')} ${name}`);

test('the page and the header have the same numbers', () => {
  assert.ok(TYPES.length > 30 && TAGS.length > 80);
  assert.deepEqual(rows(SPECIFIED).sort(), [...TYPES, ...TAGS].sort());
});

for (const [what, constants, table] of [
  ['types', TYPES, Type],
  ['tags', TAGS, Tag],
] as const) {
  test(`${what} have one meaning, in TypeScript too`, () => {
    const numbers = constants.map((c) => c.slice(0, 6));
    assert.equal(new Set(numbers).size, numbers.length);
    const known = new Set(constants.map(spelled));
    assert.deepEqual(
      entries(table).filter((entry) => !known.has(entry)),
      [],
    );
  });
}

for (const [what, constants, table] of [
  ['types', TYPES, 'type'],
  ['tags', TAGS, 'tag'],
] as const) {
  test(`reserved ${what} are not in use`, () => {
    const [, reserved = ''] = RESERVED.split(`\n| ${table} | name | purpose |\n`);
    const [own = ''] = reserved.split('\n\n');
    const numbers = [...own.matchAll(/^\| (0x[0-9a-f]{2})([0-9a-f]{2}|xx) \|/gm)];
    assert.ok(numbers.length > 3);
    const taken = numbers.filter(([, upper = '', lower = '']) =>
      constants.some((c) => c.startsWith(lower === 'xx' ? upper : `${upper}${lower}`)),
    );
    assert.deepEqual(taken, []);
  });
}

test('every type has a vector', () => {
  const shown = new Set(vectors('frames.txt').map(([, type]) => type));
  assert.deepEqual(
    TYPES.filter((type) => !shown.has(type.slice(0, 6))),
    [],
  );
});

test('the version is the same everywhere', () => {
  assert.match(HEADER, new RegExp(`^#define VXN_PROTOCOL_VERSION ${PROTOCOL_VERSION}u$`, 'm'));
  assert.match(SPECIFIED, new RegExp(`^# The guest channel, version ${PROTOCOL_VERSION}\n`));
});
