// SPDX-License-Identifier: MIT
// What a container has of the host: given at its start, seen inside and by xl, paused, changed, measured.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import {
  assertClean,
  dom0,
  dom0Exec,
  mustSh,
  type Outcome,
  ROOT,
  removeTask,
  runtime,
  startsClean,
  waitFor,
} from './dom0.ts';

const MIB = 1 << 20;
const LOG = '/tmp/res.log';
// A line a moment: a number, the processors and the memory that the container sees.
const WATCH = `n=0; while :; do
  n=$((n + 1)); echo "$n $(nproc) $(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"; sleep 0.3
done`;

interface Line {
  n: number;
  cpus: number;
  kib: number;
}

async function lastLine(): Promise<Line> {
  const [n, cpus, kib] = (await mustSh(`tail -n 1 ${LOG}`)).trim().split(' ').map(Number);
  return { n: n ?? Number.NaN, cpus: cpus ?? Number.NaN, kib: kib ?? Number.NaN };
}

/** A line that was written after this call. */
async function nextLine(): Promise<Line> {
  const { n } = await lastLine();
  await waitFor(`[ "$(tail -n 1 ${LOG} | cut -d' ' -f1)" -gt ${n + 1} ]`);
  return lastLine();
}

const columns = async (command: string): Promise<string[]> => (await mustSh(command)).trim().split(/\s+/);
const domid = (): Promise<string> => mustSh("xl list | awk '/^vxn-res-/ { print $2 }'").then((s) => s.trim());
/** Name, id, MiB, vcpus, state, time. */
const xlList = async (): Promise<string[]> => columns(`xl list ${await domid()} | tail -n 1`);
/** Name, id, weight, cap. */
const xlShare = async (): Promise<string[]> => columns(`xl sched-credit2 -d ${await domid()} | tail -n 1`);
const state = async (): Promise<string> => JSON.parse((await runtime('state', 'res')).stdout).status;
const silent = (outcome: Outcome): void => assert.deepEqual(outcome, { status: 0, stdout: '', stderr: '' });

startsClean();
before(async () => {
  await dom0();
  await mustSh(
    `vctr run -d --log-uri file://${LOG} --memory-limit ${128 * MIB} --cpus 1.5 \
    --annotation org.openembedded.vxn.maxmem=512 --annotation org.openembedded.vxn.weight=200 \
    "$IMAGE" res /bin/sh -c "$S"`,
    { env: { S: WATCH } },
  );
  await waitFor(`grep -q '^2 ' ${LOG}`);
});
after(assertClean);

/** Begins a call of the runtime, and waits until it has said two lines. */
async function untilTwoLines(args: string[]): Promise<{ result: Promise<Outcome> }> {
  let seen = '';
  return new Promise((resolve, reject) => {
    const result = dom0Exec(['vxn-oci-runtime', '--root', ROOT, ...args], {
      onStdout: (chunk) => {
        seen += chunk.toString();
        if (seen.split('\n').length > 2) resolve({ result });
      },
    });
    result.then(() => reject(new Error(`${args[0]} ended after: ${seen}`)), reject);
  });
}

suite('side by side', { concurrency: 2 }, () => {
  suite('one container', { concurrency: 1 }, () => {
    test('ctr run --memory-limit --cpus: seen inside, and by xl', async () => {
      const { cpus, kib } = await lastLine();
      assert.equal(cpus, 2);
      // 128 MiB and 96 for the guest's kernel, which describes up to 512.
      assert.ok(kib > 150 * 1024 && kib < 224 * 1024, `${kib} KiB`);
      const [, , mib, vcpus] = await xlList();
      assert.deepEqual([mib, vcpus], ['224', '2']);
      assert.deepEqual((await xlShare()).slice(2), ['200', '150']);
    });

    test('ctr task pause, resume: no output meanwhile, and none is lost', async () => {
      await mustSh('ctr task pause res');
      assert.match(await mustSh('ctr task ls'), /^res\s+\d+\s+PAUSED/m);
      assert.equal(await state(), 'paused');
      assert.match((await runtime('list')).stdout, /^res +\d+ +paused/m);
      assert.match((await xlList())[4] ?? '', /^..p...$/);
      const { n } = await lastLine();
      // Three of the lines that would come otherwise.
      await mustSh('sleep 1');
      assert.equal((await lastLine()).n, n);
      await mustSh('ctr task resume res');
      assert.equal(await state(), 'running');
      await nextLine();
      const numbers = (await mustSh(`cut -d' ' -f1 ${LOG}`)).trim().split('\n').map(Number);
      assert.deepEqual(
        numbers,
        Array.from({ length: numbers.length }, (_, i) => i + 1),
      );
    });

    test('a pause by hand counts, and resume undoes it however often it was done', async () => {
      const id = await domid();
      await mustSh(`xl pause ${id}; xl pause ${id}`);
      assert.equal(await state(), 'paused');
      assert.equal((await runtime('pause', 'res')).stderr, 'container not running\n');
      silent(await runtime('resume', 'res'));
      assert.equal(await state(), 'running');
      assert.equal((await runtime('resume', 'res')).stderr, 'container not paused\n');
      await nextLine();
    });

    test('update: memory down and up, seen inside', async () => {
      const before = await nextLine();
      silent(await runtime('update', '--memory', '64m', 'res'));
      assert.equal((await xlList())[2], '160');
      const less = await nextLine();
      assert.ok(Math.abs(before.kib - less.kib - 64 * 1024) <= 4096, `${before.kib} to ${less.kib} KiB`);
      silent(await runtime('update', '--memory', '300m', 'res'));
      const more = await nextLine();
      assert.ok(Math.abs(more.kib - less.kib - 236 * 1024) <= 4096, `${less.kib} to ${more.kib} KiB`);
      const { status, stderr } = await runtime('update', '--memory', '1g', '--cpu-share', '4096', 'res');
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^memory of 1120 MiB .* is more than this container's domain can have, which is 512 MiB \(/,
      );
      assert.equal((await xlList())[2], '396');
      assert.equal((await xlShare())[2], '200', 'nothing of it was done');
    });

    test('update: quota, shares and processors', async () => {
      const resources = JSON.stringify({ cpu: { quota: 50_000, period: 100_000, shares: 4096, cpus: '1' } });
      await mustSh('printf %s "$R" | vxn-oci-runtime --root "$ROOT" update --resources - res', {
        env: { R: resources },
      });
      assert.deepEqual((await xlShare()).slice(2), ['1024', '50']);
      assert.equal((await nextLine()).cpus, 1);
      assert.match(await mustSh(`xl vcpu-list ${await domid()}`), / 1 \/ all/);
      silent(await runtime('update', '--cpu-quota', '200000', '--cpuset-cpus', '0-1', 'res'));
      assert.deepEqual((await xlShare()).slice(2), ['1024', '0']);
      assert.equal((await nextLine()).cpus, 2, 'the second processor is used again');
      const { stderr } = await runtime('update', '--cpuset-cpus', '7', 'res');
      assert.match(stderr, /^there is no processor 7 to run on \(Xen has \d+ here/);
    });

    test('events: plausible figures, and a stream that ends with the container', async () => {
      const { kib } = await nextLine();
      const { status, stdout, stderr } = await runtime('events', '--stats', 'res');
      assert.deepEqual([status, stderr], [0, '']);
      const { type, id, data } = JSON.parse(stdout);
      assert.deepEqual([type, id], ['stats', 'res']);
      const { usage } = data.memory;
      assert.ok(Math.abs(usage.limit - kib * 1024) < 4 * MIB, `${usage.limit}`);
      assert.ok(usage.usage > 10 * MIB && usage.usage < usage.limit / 2, `${usage.usage}`);
      assert.ok(
        data.cpu.usage.total > 1e9 && data.cpu.usage.total === data.cpu.usage.user + data.cpu.usage.kernel,
      );
      assert.ok(data.pids.current >= 1 && data.pids.current < 10);
      const stream = await untilTwoLines(['events', '--interval', '500ms', 'res']);
      await mustSh('ctr task pause res; vctr task kill -s SIGKILL res');
      const lines = (await stream.result).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(lines.length > 1);
      assert.ok(lines.at(-1).data.cpu.usage.total > lines[0].data.cpu.usage.total);
    });

    test('kill 9 while it was paused ended it', async () => {
      assert.equal(await removeTask('res'), 137);
    });
  });

  test('a very small limit still boots', async () => {
    const out = await mustSh(
      `vctr run --rm --memory-limit ${MIB} "$IMAGE" small /bin/sh -c 'nproc; echo alive'`,
    );
    assert.equal(out, '1\nalive\n');
  });
});
