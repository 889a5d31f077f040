// SPDX-License-Identifier: MIT
// Descriptions: what is wrong is reported with code and place, all of it at once; what is right is merged.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkConfig, DEFAULTS } from '../../src/config/config.ts';
import { DescriptionError, diagnosticJson, position } from '../../src/vxn-config/diagnostics.ts';
import { loadTarget, loadText, targetNames } from '../../src/vxn-config/load.ts';
import { parseDescription } from '../../src/vxn-config/parse.ts';
import { resolveTarget } from '../../src/vxn-config/target.ts';
import { matchesSnapshot } from '../fixtures/snapshot.ts';
import { TEMPLATES, testContext } from '../fixtures/target.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const FOLDER = temporaryFolder();

/** `CODE LINE:COLUMN` of everything that is wrong. */
function wrong(text: string, sets: readonly string[] = []): string[] {
  try {
    const file = join(FOLDER, 'd.yaml');
    writeFileSync(file, text);
    resolveTarget(loadTarget(testContext(), file, sets));
    return [];
  } catch (error) {
    assert.ok(error instanceof DescriptionError, String(error));
    return error.diagnostics.map(({ code, place }) => {
      if (place === undefined) return code;
      const { line, column } = position(place);
      return `${code} ${line}:${column}`;
    });
  }
}

const ARCH = 'architecture: x86_64\n';
const BAD: [text: string, found: string[]][] = [
  ['', ['MISSING_KEY 1:1']],
  ['[]', ['WRONG_TYPE 1:1']],
  ['just text', ['WRONG_TYPE 1:1']],
  ['architecture: x86\n', ['NOT_ONE_OF 1:15']],
  ['architecture:\n', ['WRONG_TYPE 1:14']],
  ['{ architecture }\n', ['WRONG_TYPE 1:3']],
  [`${ARCH}arch: x\n`, ['UNKNOWN_KEY 2:1']],
  [`${ARCH}__proto__: {}\n`, ['UNKNOWN_KEY 2:1']],
  [`${ARCH}toString: 1\n`, ['UNKNOWN_KEY 2:1']],
  [`${ARCH}1: 2\n`, ['UNKNOWN_KEY 2:1']],
  [`${ARCH}? [a]\n: 2\n`, ['UNKNOWN_KEY 2:3']],
  [`${ARCH}${ARCH}`, ['DUPLICATE_KEY 2:1']],
  [`${ARCH}paths: /usr\n`, ['WRONG_TYPE 2:8']],
  [`${ARCH}paths: { bindir: [] }\n`, ['WRONG_TYPE 2:18']],
  [`${ARCH}paths: { bindir: bin }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: /usr/bin/ }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: /usr//bin }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: /usr/../bin }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: /usr/.. }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: "/a:/b" }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: "/a\\nb" }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: "/a\\u2028b" }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { bindir: "/a*" }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { kernel: a/b }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}paths: { kernel: .. }\n`, ['BAD_VALUE 2:18']],
  [`${ARCH}engines: containerd\n`, ['WRONG_TYPE 2:10']],
  [`${ARCH}engines: [containerd, containerd]\n`, ['BAD_VALUE 2:23']],
  [`${ARCH}engines: [containerd, { a: b }]\n`, ['WRONG_TYPE 2:23']],
  [`${ARCH}containerd: { version: 1.5 }\n`, ['NOT_ONE_OF 2:24']],
  [`${ARCH}containerd: { systemdCgroup: yes }\n`, ['WRONG_TYPE 2:30']],
  [`${ARCH}containerd: { handler: runc }\n`, ['COMBINATION 2:24']],
  [`${ARCH}containerd: { version: 1.7, layout: drop-in }\n`, ['COMBINATION 2:37']],
  [`${ARCH}containerd: { version: 1.7, configVersion: 3 }\n`, ['COMBINATION 2:44']],
  [`${ARCH}containerd: { version: 2.2, configVersion: 4 }\n`, ['COMBINATION 2:44']],
  [`${ARCH}containerd: { version: 2.0, form: runc-options }\n`, ['NOT_FAIL_CLOSED 2:35']],
  [`${ARCH}engines: [containerd, k3s]\ncontainerd: { defaultRuntime: vxn }\n`, ['COMBINATION 3:31']],
  [`${ARCH}kubernetes: { overheadMemory: -1 }\n`, ['OUT_OF_RANGE 2:31']],
  [`${ARCH}kubernetes: { overheadMemory: 1.5 }\n`, ['WRONG_TYPE 2:31']],
  [`${ARCH}kubernetes: { nodeSelector: [a] }\n`, ['BAD_VALUE 2:30']],
  [`${ARCH}defaults: { memroy: 1 }\n`, ['UNKNOWN_KEY 2:13']],
  [`${ARCH}defaults: { memory: "1" }\n`, ['BAD_SETTING 2:21']],
  [`${ARCH}defaults: { memory: }\n`, ['BAD_SETTING 2:21']],
  [`${ARCH}defaults: { guestType: pv }\n`, ['COMBINATION 2:24']],
  [`${ARCH}defaults: { libDir: "a" }\n`, ['BAD_VALUE 2:21']],
  [`${ARCH}defaults: [1]\n`, ['WRONG_TYPE 2:11']],
  [`${ARCH}extends: nothing\n`, ['UNKNOWN_TARGET 2:10']],
  [`${ARCH}extends: ./nothing.yaml\n`, ['UNREADABLE 2:10']],
  [`${ARCH}extends: ./d.yaml\n`, ['EXTENDS_LOOP 2:10']],
  ['architecture: aarch64\nguestType: pv\n', ['COMBINATION 2:12']],
  [`${ARCH}a: [\n`, ['UNKNOWN_KEY 2:1', 'YAML_SYNTAX 3:1']],
  [`${ARCH}---\n${ARCH}`, ['YAML_SYNTAX 2:1']],
  [`${ARCH}description: *x\n`, ['YAML_SYNTAX 2:14', 'WRONG_TYPE 2:14']],
  ['architecture: x\nguestType: y\nnonsense: 1\n', ['NOT_ONE_OF 1:15', 'NOT_ONE_OF 2:12', 'UNKNOWN_KEY 3:1']],
];
for (const [text, found] of BAD) {
  test(`wrong: ${JSON.stringify(text)}`, () => assert.deepEqual(wrong(text), found));
}

const BAD_SET: [argument: string, found: string[]][] = [
  ['containerd.version', ['BAD_SET 1:1']],
  ['extends=k3s', ['BAD_SET 1:1']],
  ['containerd=1', ['BAD_SET 1:1']],
  ['defaults={}', ['BAD_SET 1:1']],
  ['contaienrd.version=1.7', ['UNKNOWN_KEY 1:1']],
  ['containerd.version.x=1', ['UNKNOWN_KEY 1:1']],
  ['=1', ['UNKNOWN_KEY 1:1']],
  ['containerd.version=', ['WRONG_TYPE 1:20']],
  ['containerd.version=3', ['NOT_ONE_OF 1:20']],
  ['engines=[docker', ['YAML_SYNTAX 1:16']],
  ['defaults.memory=a', ['BAD_SETTING 1:17']],
];
for (const [argument, found] of BAD_SET) {
  test(`wrong: --set ${argument}`, () => assert.deepEqual(wrong(ARCH, [argument]), found));
}

test('what an error looks like', () => {
  const text = `extends: generic-x86-6
architecure: x86_64
engines: [containerd, dokcer]
containerd:
  version: 1.8
  handler: "Bad Name"
paths:\n  bindir: "/opt/\u001b[31m/../bin"
defaults:
  memroy: 5
modules: [ok, not ok, ${'x'.repeat(150)}]
`;
  assert.throws(
    () => loadText(testContext(), { name: 'board.yaml', text }),
    (error: Error) => {
      matchesSnapshot('description-errors.txt', `${error.message}\n`);
      return true;
    },
  );
  const [first] = parseDescription({ name: 'board.yaml', text }).diagnostics;
  assert.ok(first !== undefined);
  assert.deepEqual(diagnosticJson(first), {
    code: 'UNKNOWN_KEY',
    message: 'unknown key "architecure"',
    file: 'board.yaml',
    line: 2,
    column: 1,
    hint: 'did you mean "architecture"?',
  });
});

describe('extends', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(
    join(folder, 'base.yaml'),
    'extends: qemux86-64\ndescription: base\ncontainerd: { handler: kata }\ndefaults: { memory: 512, vcpus: 2 }\nmodules: [a, b]\n',
  );
  writeFileSync(
    join(folder, 'sub/board.yaml'),
    'extends: ../base.yaml\ncontainerd: { snapshotter: native }\ndefaults: { memory: 1024 }\nmodules: [c]\n',
  );
  const target = resolveTarget(
    loadTarget(testContext(), join(folder, 'sub/board.yaml'), ['defaults.vcpus=4']),
  );

  test('sections are merged, lists and values replaced, the description is not inherited', () => {
    assert.equal(target.name, 'board');
    assert.equal(target.description, '');
    assert.equal(target.containerd.handler, 'kata');
    assert.equal(target.containerd.snapshotter, 'native');
    assert.equal(target.containerd.version, '2.2');
    assert.deepEqual(target.modules, ['c']);
    assert.equal(target.settings.memory, 1024);
    assert.equal(target.settings.vcpus, 4);
    assert.deepEqual(target.set, ['defaults.vcpus']);
  });

  test('an error is reported where it stands, in whichever file', () => {
    writeFileSync(join(folder, 'base2.yaml'), 'architecture: x86_64\nguestTyp: pv\n');
    writeFileSync(join(folder, 'b2.yaml'), 'extends: ./base2.yaml\nnothing: 1\n');
    assert.throws(() => loadTarget(testContext(), join(folder, 'b2.yaml')), /b2\.yaml:2:1.*base2\.yaml:2:1/s);
  });
});

test('1.7 and 2.0 are versions, whether written as numbers or in quotes', () => {
  for (const version of ['1.6', '2.0', '"2.0"', "'1.7'"]) {
    const text = `${ARCH}containerd: { version: ${version} }\n`;
    const target = resolveTarget(loadText(testContext(), { name: 'd.yaml', text }));
    assert.equal(target.containerd.version, version.replace(/["']/g, ''));
  }
});

test('aliases stand for their anchors', () => {
  const text = `${ARCH}paths: { bindir: &b /opt/bin, sbindir: *b }\n`;
  assert.equal(resolveTarget(loadText(testContext(), { name: 'd.yaml', text })).paths.sbindir, '/opt/bin');
});

test('a description can hand on every setting of the runtime, and its check is the runtime’s', () => {
  const settings = Object.entries(DEFAULTS).filter(([key]) => key !== 'guestType' && key !== 'libexecDir');
  const text = JSON.stringify({ architecture: 'x86_64', defaults: Object.fromEntries(settings) });
  const target = resolveTarget(loadText(testContext(), { name: 'd.yaml', text }));
  assert.deepEqual(checkConfig(target.settings, 'f'), { ...DEFAULTS, guestType: 'pv' });
});

test("the lab's Dom0 is described", () => {
  const target = resolveTarget(loadTarget(testContext(), join(TEMPLATES, '../lab/dom0.yaml')));
  assert.equal(target.settings.kernel, '/usr/share/vxn/x86_64/vmlinux');
});

test('every description that comes with vxn is right, says what it is, and names its schema', () => {
  assert.deepEqual(targetNames(TEMPLATES), ['generic-x86-64', 'k3s', 'qemuarm64', 'qemux86-64']);
  for (const name of targetNames(TEMPLATES)) {
    assert.notEqual(resolveTarget(loadTarget(testContext(), name)).description, '');
    const text = readFileSync(join(TEMPLATES, 'targets', `${name}.yaml`), 'utf8');
    assert.match(text, /^# yaml-language-server: \$schema=\.\.\/\.\.\/schema\/target\.schema\.json$/m);
  }
});
