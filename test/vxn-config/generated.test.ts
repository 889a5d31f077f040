// SPDX-License-Identifier: MIT
// What is in the repository but made from the schema is as the schema says.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { DEFAULTS } from '../../src/config/config.ts';
import { explain } from '../../src/vxn-config/commands/explain.ts';
import { schema } from '../../src/vxn-config/commands/schema.ts';
import { targetNames } from '../../src/vxn-config/load.ts';
import { KEYS, referenceMarkdown } from '../../src/vxn-config/reference.ts';
import { TEMPLATES, testContext } from '../fixtures/target.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Compares a file with a text; VXN_UPDATE_SNAPSHOTS=1 writes it instead. */
function isCurrent(name: string, text: string): void {
  const file = join(ROOT, name);
  if (process.env.VXN_UPDATE_SNAPSHOTS === '1') writeFileSync(file, text);
  assert.ok(readFileSync(file, 'utf8') === text, `${name} is stale; VXN_UPDATE_SNAPSHOTS=1 writes it`);
}

function printed(command: (context: ReturnType<typeof testContext>) => void): string {
  const context = testContext();
  command(context);
  return context.printed.join('');
}

test('schema/target.schema.json', () => isCurrent('schema/target.schema.json', printed(schema)));

test('the reference in docs/configuration.md', () => {
  const name = 'docs/configuration.md';
  const text = readFileSync(join(ROOT, name), 'utf8');
  const [, head, tail] =
    /^(.*<!-- The reference [^\n]*-->\n).*(<!-- end of the reference -->\n.*)$/s.exec(text) ?? [];
  assert.ok(head !== undefined && tail !== undefined);
  isCurrent(name, `${head}\n${referenceMarkdown()}\n${tail}`);
});

type Json = { [key: string]: Json } & { [key: string]: unknown };

/** As much of JSON Schema as ours uses. Gives the first thing that is wrong. */
function violation(rules: Json, value: unknown, path = ''): string | undefined {
  const types = [rules.type].flat() as unknown[];
  const actual =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : Number.isInteger(value)
          ? 'integer'
          : typeof value;
  if (rules.type !== undefined && !types.includes(actual)) return `${path}: ${actual}`;
  const values = rules.enum as unknown as unknown[] | undefined;
  if (values !== undefined && !values.includes(value)) return `${path}: ${String(value)}`;
  if (rules.pattern !== undefined && !new RegExp(String(rules.pattern), 'u').test(String(value)))
    return `${path}: pattern`;
  if (Array.isArray(value))
    return value
      .map((v, i) => violation(rules.items as Json, v, `${path}[${i}]`))
      .find((v) => v !== undefined);
  if (actual !== 'object') return undefined;
  for (const [key, v] of Object.entries(value as object)) {
    const inner = (rules.properties as Json | undefined)?.[key] as Json | undefined;
    const wrong = inner === undefined ? `${path}.${key}: unknown` : violation(inner, v, `${path}.${key}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

test('the schema takes every description that comes with vxn, and not what is wrong', () => {
  const rules = JSON.parse(printed(schema)) as Json;
  for (const name of targetNames(TEMPLATES)) {
    const value: unknown = parse(readFileSync(join(TEMPLATES, 'targets', `${name}.yaml`), 'utf8'));
    assert.equal(violation(rules, value), undefined, name);
  }
  assert.equal(violation(rules, { containerd: { version: 1.8 } }), '.containerd.version: 1.8');
  assert.equal(violation(rules, { paths: { bindir: '/a/../b' } }), '.paths.bindir: pattern');
  assert.equal(violation(rules, { defaults: { memroy: 1 } }), '.defaults.memroy: unknown');
});

test('every key has an explanation, every setting of the runtime among them', () => {
  for (const key of KEYS) assert.ok(key.doc.length > 3, key.name);
  for (const setting of Object.keys(DEFAULTS)) assert.ok(KEYS.some((k) => k.name === `defaults.${setting}`));
  assert.match(
    printed((c) => explain(c, 'containerd.version', {})),
    /value {4}1\.6, 1\.7.*\n {2}default {2}1\.7/,
  );
  assert.match(
    printed((c) => explain(c, 'snapshotter', {})),
    /^containerd\.snapshotter\n/,
  );
  assert.match(
    printed((c) => explain(c, 'docker', {})),
    /docker\.defaultRuntime .*\n {2}docker\.form /,
  );
  throwsVxn(() => explain(testContext(), 'defaultRuntime', {}), 'USAGE', 'there is no key');
  throwsVxn(
    () => explain(testContext(), 'defaults.memroy', {}),
    'USAGE',
    'there is no key "defaults.memroy"',
  );
});
