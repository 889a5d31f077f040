// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Records, Tag } from '../../src/channel/protocol.ts';
import { parseStats } from '../../src/channel/stats.ts';
import { statsEvent } from '../../src/verbs/events.ts';

const FIGURES = new Records()
  .u64(Tag.StatUptimeNs, 1n)
  .u64(Tag.StatMemTotal, 1000n)
  .u64(Tag.StatMemAvailable, 400n)
  .u64(Tag.StatCpuNs, 50n)
  .u32(Tag.StatPids, 3)
  .u64(Tag.StatCpuUserNs, 20n)
  .u32(Tag.StatCpus, 2)
  .u64(Tag.StatMemCached, 100n)
  .u64(Tag.StatOomKills, 1n);

test('figures, and the event of them in the form of runc', () => {
  const stats = parseStats(FIGURES.bytes());
  assert.deepEqual(stats, {
    uptime: 1,
    memoryTotal: 1000,
    memoryAvailable: 400,
    memoryCached: 100,
    cpu: 50,
    cpuUser: 20,
    cpus: 2,
    pids: 3,
    oomKills: 1,
  });
  assert.ok(stats !== undefined);
  const event = statsEvent('id', stats) as { data: { cpu: object; memory: { usage: object }; pids: object } };
  assert.deepEqual(event.data.cpu, { usage: { total: 50, kernel: 30, user: 20 }, throttling: {} });
  assert.deepEqual(event.data.memory.usage, { limit: 1000, usage: 600, failcnt: 0 });
  assert.deepEqual(event.data.pids, { current: 3 });
});

test('an agent of another version: unknown tags are skipped, missing figures are 0', () => {
  const stats = parseStats(new Records().text(0x09ff, 'new').u64(Tag.StatMemTotal, 5n).bytes());
  assert.equal(stats?.memoryTotal, 5);
  assert.equal(stats?.cpu, 0);
});

test('a guest that lies gives no nonsense', () => {
  const lies = new Records()
    .u64(Tag.StatMemTotal, 1n)
    .u64(Tag.StatMemAvailable, 2n ** 64n - 1n)
    .u64(Tag.StatCpuUserNs, 9n);
  const stats = parseStats(lies.bytes());
  assert.ok(stats !== undefined);
  assert.equal(stats.memoryAvailable, 1);
  assert.equal(stats.cpuUser, 0);
});

test('malformed figures', () => {
  const good = FIGURES.bytes();
  for (let cut = 1; cut < 8; cut++) assert.equal(parseStats(good.subarray(0, good.length - cut)), undefined);
  const broken: Buffer[] = [
    Buffer.from([80, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([80, 0, 0, 0, 255, 255, 255, 255]),
    new Records().text(Tag.StatMemTotal, 'five!').bytes(),
  ];
  for (const payload of broken) assert.equal(parseStats(payload), undefined);
  assert.notEqual(parseStats(Buffer.alloc(0)), undefined);
});
