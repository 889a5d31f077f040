// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainPlan, domainConfig, kernelCommandLine, quote } from '../../src/xen/domain-config.ts';
import { matchesSnapshot } from '../fixtures/snapshot.ts';

const PLAN: DomainPlan = {
  name: 'vxn-web-0123456789abcdef',
  uuid: '00000000-1111-2222-3333-444444444444',
  type: 'pv',
  arch: 'x86_64',
  kernel: '/usr/share/vxn/x86_64/bzImage',
  initramfs: '/usr/share/vxn/x86_64/initramfs.cpio.gz',
  cmdline: '',
  memory: 256,
  maxmem: 256,
  vcpus: 1,
  maxvcpus: 1,
  cpus: '',
  weight: undefined,
  cap: 0,
  disks: [{ vdev: 'xvda', file: '/var/lib/vxn/01234567/web/root.img', readonly: false }],
  blockScript: '/usr/libexec/vxn/vxn-block',
};

const HOSTILE = 'a"b\\c, d=$(x) `y` \' é ] #';
const SNAPSHOTS: Record<string, Partial<DomainPlan>> = {
  'domain-pv.cfg': {},
  'domain-pvh.cfg': { type: 'pvh', memory: 1024, vcpus: 4, cmdline: 'debug loglevel=7' },
  'domain-sized.cfg': {
    memory: 352,
    maxmem: 1024,
    vcpus: 2,
    maxvcpus: 4,
    cpus: '0-1,3',
    weight: 512,
    cap: 150,
  },
  'domain-aarch64.cfg': { type: 'pvh', arch: 'aarch64', kernel: '/usr/share/vxn/aarch64/Image' },
  'domain-hostile.cfg': {
    name: HOSTILE,
    disks: [{ vdev: 'xvda', file: `/var/${HOSTILE}/root.img`, readonly: false }],
    cmdline: HOSTILE,
    kernel: HOSTILE,
  },
};
for (const [file, change] of Object.entries(SNAPSHOTS)) {
  test(`snapshot ${file}`, () => matchesSnapshot(file, domainConfig({ ...PLAN, ...change })));
}

test('no value can end its line', () => {
  for (const bad of ['a\nb', 'a\rb', 'a\0b', 'a\x7fb']) {
    for (const key of ['name', 'kernel', 'initramfs', 'boot', 'cmdline', 'blockScript', 'cpus'] as const) {
      assert.throws(() => domainConfig({ ...PLAN, [key]: bad }), RangeError, key);
    }
    const disks = [{ vdev: 'xvda', file: bad, readonly: false }];
    assert.throws(() => domainConfig({ ...PLAN, disks }), RangeError, 'disk');
  }
});

test('a comma in the script would end its part of the disk', () => {
  assert.throws(() => domainConfig({ ...PLAN, blockScript: '/a,target=/etc/shadow' }), RangeError);
});

test('quotes and backslashes are escaped, nothing else is touched', () => {
  assert.equal(quote('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quote("$`'é\u{1f600}"), '"$`\'é\u{1f600}"');
});

test('aarch64 gets no x86 options, extra options come last', () => {
  const line = kernelCommandLine({ type: 'pvh', arch: 'aarch64', cmdline: 'x=1' });
  assert.ok(!line.includes('pci=off'));
  assert.ok(line.endsWith(' x=1'));
});
