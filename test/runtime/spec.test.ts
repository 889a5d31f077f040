// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Host } from '../fixtures/host.ts';

const host = new Host();
const SILENT = { status: 0, stdout: '', stderr: '' };

test('spec writes a configuration that runs as it is, and never over another', async () => {
  const bundle = host.bundle();
  const file = join(bundle, 'config.json');
  rmSync(file);
  assert.deepEqual(host.run(['spec', '--bundle', bundle]), SILENT);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(host.run(['spec'], { cwd: bundle }), {
    status: 1,
    stdout: '',
    stderr: 'config.json exists; nothing was written (remove it first)\n',
  });
  assert.equal(readFileSync(file, 'utf8'), text);
  const c = host.create('spec', { bundle });
  c.stdin.end('echo "$PATH"; pwd; exit 5\n');
  assert.equal(await c.created, 0, c.text('stderr'));
  assert.deepEqual(host.run(['start', 'spec']), SILENT);
  assert.equal(await c.exit, 5);
  assert.equal(c.text('stdout'), '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n/\n');
  assert.deepEqual(host.run(['delete', 'spec']), SILENT);
});
