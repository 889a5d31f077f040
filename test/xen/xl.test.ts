// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { xlToolstack } from '../../src/xen/xl.ts';
import { runSteps } from '../fixtures/steps.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
let made = 0;

function tool(body: string): string {
  const file = join(folder, `xl-${made++}`);
  writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return file;
}

const FAILURES: [name: string, body: string, text: string | RegExp][] = [
  ['says nothing', 'exit 3', /^xl create failed: status 3$/],
  ['is killed', 'kill -9 $$', /^xl create failed: killed by signal 9$/],
  [
    'has a reason',
    'echo "Parsing config from /x" >&2; echo "libxl: error: libxl_create.c:1:f: Domain 7:kernel not found" >&2; exit 1',
    /^xl create failed: kernel not found$/,
  ],
  [
    'has too little memory',
    'echo "libxl: error: m.c:9:g: not enough free memory" >&2; exit 1',
    'Xen has too little free memory',
  ],
  ['finds no Xen', 'echo "xc: error: f.c: privcmd: No such file" >&2; exit 1', 'is this a Xen Dom0'],
];
for (const [name, body, text] of FAILURES) {
  test(`xl create ${name}`, () =>
    throwsVxn(
      () => runSteps([xlToolstack(tool(body), '/no/xenstore-read').createStep('/cfg', false)]),
      'TOOLSTACK',
      text,
    ));
}

test('an xl that is not there', () => {
  throwsVxn(
    () => runSteps([xlToolstack('/no/xl', '/no/xenstore-read').createStep('/cfg', false)]),
    'TOOLSTACK',
    '/no/xl: command not found (install the Xen tools',
  );
});

test('xl create is given the file', () => {
  const log = join(folder, 'log');
  const xl = tool(`echo "$@" > ${log}; readlink /proc/$$/fd/0 >> ${log}`);
  runSteps([xlToolstack(xl, '/no/xenstore-read').createStep('/a b.cfg', false)]);
  assert.equal(readFileSync(log, 'utf8'), 'create -q -e /a b.cfg\n/dev/null\n');
});

test('an xenstore-read that is not there does not make a domain somebody else’s', () => {
  const toolstack = xlToolstack(tool('echo 12'), '/no/xenstore-read');
  throwsVxn(() => toolstack.isOurs(12, 'u'), 'TOOLSTACK', '/no/xenstore-read: ');
});

test('without an xl there is no domain of ours', () => {
  assert.equal(xlToolstack('/no/xl', '/no/xenstore-read').findDomain('n', 'u'), undefined);
});

test('a domain that is gone already is no error', () =>
  xlToolstack(tool('exit 1'), '/no/xenstore-read').destroy(5));

const NO_PATH = 'echo "xenstore-read: couldn\'t read path $1" >&2; exit 1';
const NO_NAME = "echo \"Can't get domid of domain name '$2', maybe this domain does not exist.\" >&2; exit 1";

test('a name without a domain', () => {
  assert.equal(xlToolstack(tool(NO_NAME), tool(NO_PATH)).findDomain('n', 'u'), undefined);
  assert.equal(xlToolstack(tool('echo nonsense'), tool(NO_PATH)).findDomain('n', 'u'), undefined);
});

test('without Xen there is no domain of ours', () => {
  const xl = tool('echo "libxl: error: libxl.c:1:f: cannot open libxc handle: No such file" >&2; exit 1');
  assert.equal(xlToolstack(xl, tool(NO_PATH)).findDomain('n', 'u'), undefined);
});

test('a toolstack that cannot tell does not make a domain disappear', () => {
  const refused = 'echo "xenstore-read: xs_open: No such file or directory" >&2; exit 1';
  const toolstack = xlToolstack(
    tool('echo "libxl: error: f.c:1:f: cannot connect to xenstore" >&2; exit 1'),
    tool(refused),
  );
  throwsVxn(() => toolstack.isOurs(12, 'u'), 'TOOLSTACK', 'xs_open: No such file or directory');
  throwsVxn(() => toolstack.findDomain('n', 'u'), 'TOOLSTACK', 'domid failed: cannot connect to xenstore');
  throwsVxn(() => xlToolstack(tool('exit 1'), tool(NO_PATH)).findDomain('n', 'u'), 'TOOLSTACK', 'status 1');
});

const DOMAINS: [name: string, xenstore: string, found: number | undefined][] = [
  ['ours', 'echo /vm/u-1', 12],
  ["somebody else's of the same name", 'echo /vm/u-2', undefined],
  ['gone in between', NO_PATH, undefined],
];
for (const [name, xenstore, found] of DOMAINS) {
  test(`a domain by name: ${name}`, () => {
    const toolstack = xlToolstack(
      tool('echo 12'),
      tool(`[ "$1" = /local/domain/12/vm ] || exit 9; ${xenstore}`),
    );
    assert.equal(toolstack.findDomain('n', 'u-1'), found);
    assert.equal(toolstack.isOurs(12, 'u-1'), found !== undefined);
  });
}
