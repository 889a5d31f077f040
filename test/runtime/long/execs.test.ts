// SPDX-License-Identifier: MIT
// Very many execs in one container.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Created, Host } from '../../fixtures/host.ts';

const ID = 'c';
const SILENT = { status: 0, stdout: '', stderr: '' };
const host = new Host();

let container: Created;
before(async () => {
  container = host.create(ID, { bundle: host.script('while :; do sleep 1; done') });
  assert.equal(await container.created, 0, container.text('stderr'));
  assert.deepEqual(host.run(['start', ID]), SILENT);
});
after(async () => {
  assert.deepEqual(host.run(['delete', '--force', ID]), SILENT);
  assert.equal(await container.exit, 137);
  assert.deepEqual(await host.leftovers(ID), []);
});

const pids = (): number[] => JSON.parse(host.run(['ps', '--format', 'json', ID]).stdout) as number[];

async function started(script: string): Promise<Created> {
  const e = host.exec(ID, { process: { args: ['/bin/sh', '-c', script] } });
  assert.equal(await e.created, 0, e.text('stderr'));
  return e;
}

test('220 execs, 10 at a time: the container’s monitor does not grow', async () => {
  const [monitor] = pids();
  const rss = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))?.[1]);
  const fds = (): number => readdirSync(`/proc/${monitor}/fd`).length;
  const batch = async (): Promise<void> => {
    const all = await Promise.all(Array.from({ length: 10 }, () => started('head -c 200000 /dev/zero; cat')));
    for (const e of all) e.stdin.end();
    for (const e of all) assert.equal(await e.exit, 0);
  };
  for (let i = 0; i < 2; i++) await batch();
  const [rssBefore, fdsBefore] = [rss(), fds()];
  for (let i = 0; i < 20; i++) await batch();
  assert.equal(fds(), fdsBefore);
  assert.ok(rss() - rssBefore <= 256, `${rssBefore} -> ${rss()} KiB`);
  assert.equal(pids().length, 1);
  assert.deepEqual(
    readdirSync(host.places(ID).run).filter((f) => f.startsWith('exec')),
    [],
  );
});
