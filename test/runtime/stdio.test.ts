// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from '../fixtures/host.ts';

const host = new Host();
let made = 0;

async function started(script: string) {
  const id = `io${made++}`;
  const c = host.create(id, { bundle: host.script(script) });
  assert.equal(await c.created, 0, c.text('stderr'));
  const { status, stderr } = host.run(['start', id]);
  assert.equal(status, 0, stderr);
  return { id, c, remove: () => assert.equal(host.run(['delete', id]).status, 0) };
}

const until = async (what: () => boolean): Promise<void> => {
  const deadline = Date.now() + 20_000;
  while (!what() && Date.now() < deadline) await sleep(10);
  assert.ok(what());
};

test('stdout and stderr stay apart', async () => {
  const { c, remove } = await started('echo out; echo err >&2; printf more');
  assert.equal(await c.exit, 0);
  assert.deepEqual([c.text('stdout'), c.text('stderr')], ['out\nmore', 'err\n']);
  remove();
});

test('output comes while the program runs', async () => {
  const { c, remove } = await started('echo first; read x; echo "got $x"');
  await until(() => c.text('stdout') === 'first\n');
  c.stdin.write('word\n');
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), 'first\ngot word\n');
  remove();
});

test('the end of stdin reaches the program', async () => {
  const { c, remove } = await started('cat; echo end');
  c.stdin.end('last line without newline');
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stdout'), 'last line without newlineend\n');
  remove();
});

test('a MiB and more in both directions at once, byte for byte', async () => {
  const { c, remove } = await started('cat');
  const data = randomBytes((1 << 20) + 12345);
  const chunks: Buffer[] = [];
  c.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
  c.stdin.end(data);
  assert.equal(await c.exit, 0);
  const digest = (b: Buffer): string => createHash('sha256').update(b).digest('hex');
  const got = Buffer.concat(chunks);
  assert.equal(got.length, data.length);
  assert.equal(digest(got), digest(data));
  remove();
});

test('4 MiB are whole although the program ends at once after writing', async () => {
  const { c, remove } = await started('head -c 4194304 /dev/zero; head -c 100000 /dev/zero >&2');
  assert.equal(await c.exit, 0);
  assert.deepEqual([c.text('stdout').length, c.text('stderr').length], [4194304, 100_000]);
  remove();
});

test('a reader that stops does not stop the other stream', async () => {
  const { c, remove } = await started('echo err1 >&2; head -c 1000000 /dev/zero; echo err2 >&2');
  c.stdout.pause();
  await until(() => c.text('stderr').startsWith('err1\n'));
  c.stdout.resume();
  assert.equal(await c.exit, 0);
  assert.equal(c.text('stderr'), 'err1\nerr2\n');
  remove();
});

test('without stdin, as from /dev/null, the program reads its end', async () => {
  const bundle = host.script('cat; exit 4');
  assert.equal(host.createSilent('null', bundle), 0);
  assert.equal(host.run(['start', 'null']).status, 0);
  await until(() => JSON.parse(host.run(['state', 'null']).stdout).status === 'stopped');
  assert.equal(host.run(['delete', 'null']).status, 0);
});

test('create and start hold no pipe of the container: their own end at once', async () => {
  const bundle = host.script('sleep 60');
  const pipes = host.begin(['create', '--bundle', bundle, 'hold']);
  // `create` gave its stdout to the container, so it stays open until the container ends.
  let closed = false;
  void pipes.result.then(() => {
    closed = true;
  });
  await until(() => host.run(['state', 'hold']).stdout.includes('"status": "created"'));
  const start = host.run(['start', 'hold']);
  assert.deepEqual(start, { status: 0, stdout: '', stderr: '' });
  assert.equal(closed, false);
  assert.equal(host.run(['kill', 'hold', '9']).status, 0);
  const { status } = await pipes.result;
  assert.equal(status, 0);
  host.run(['delete', 'hold']);
});

test('what is written is kept for `logs`, within logSize', async () => {
  const small = new Host({ logSize: 64 });
  const c = small.create('log', { bundle: small.script('head -c 500000 /dev/zero; echo end') });
  assert.equal(await c.created, 0);
  assert.equal(small.run(['start', 'log']).status, 0);
  assert.equal(await c.exit, 0);
  const { stdout } = small.run(['logs', 'log']);
  assert.ok(stdout.endsWith('\0end\n'));
  assert.ok(stdout.length < 140_000, String(stdout.length));
  assert.ok(readFileSync(join(small.places('log').outputLog)).length > 0);
  small.run(['delete', 'log']);
});
