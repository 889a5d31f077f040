// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULTS } from '../../src/config/config.ts';
import { chooseBoot } from '../../src/domain/boot.ts';
import { Annotations } from '../../src/spec/annotations.ts';
import { parseVm } from '../../src/spec/vm.ts';
import type { Boot } from '../../src/xen/domain-config.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const folder = temporaryFolder();
mkdirSync(join(folder, 'ok/deep'), { recursive: true });
for (const name of ['ok/kernel', 'ok/deep/initrd', 'secret']) writeFileSync(join(folder, name), name);
symlinkSync('../secret', join(folder, 'ok/way-out'));
symlinkSync('deep/initrd', join(folder, 'ok/link'));
symlinkSync('nowhere', join(folder, 'ok/broken'));

const CONFIG = { ...DEFAULTS, cmdline: 'settings=1', hostPaths: [`${folder}/ok/**`], annotations: ['*'] };
const at = (name: string): string => join(folder, name);

function boot(annotations: Record<string, string>, vm: object | undefined = undefined): Boot {
  const ours = Object.entries(annotations).map(([k, v]) => [`org.openembedded.vxn.${k}`, v]);
  return chooseBoot(Annotations.read(Object.fromEntries(ours), ['*']), parseVm(vm), CONFIG, CONFIG);
}

test('nothing said: the settings', () => {
  const { type, kernel, initramfs, cmdline } = boot({});
  assert.deepEqual(
    { type, kernel, initramfs, cmdline },
    {
      type: DEFAULTS.guestType,
      kernel: DEFAULTS.kernel,
      initramfs: DEFAULTS.initramfs,
      cmdline: 'settings=1',
    },
  );
});

test('annotation before vm section before settings; command lines add up', () => {
  const vm = { kernel: { path: at('ok/deep/initrd'), parameters: ['vm=2'], initrd: at('ok/link') } };
  const plan = boot({ kernel: at('ok/kernel'), 'cmdline-extra': 'extra=3', type: 'pvh' }, vm);
  assert.equal(plan.kernel, at('ok/kernel'));
  assert.equal(plan.initramfs, at('ok/deep/initrd'), 'links are resolved');
  assert.equal(plan.cmdline, 'settings=1 vm=2 extra=3');
  assert.equal(plan.type, 'pvh');
  assert.equal(boot({}, vm).kernel, at('ok/deep/initrd'));
});

const REFUSED: [name: string, file: string, code: 'UNSUPPORTED' | 'INVALID_SPEC', text: string][] = [
  [
    'elsewhere',
    at('secret'),
    'UNSUPPORTED',
    'secret on this host (to allow it, add it or a glob to hostPaths',
  ],
  ['elsewhere by ..', at('ok/../secret'), 'UNSUPPORTED', 'on this host'],
  ['elsewhere by a link', at('ok/way-out'), 'UNSUPPORTED', `containers may not boot ${at('secret')}`],
  ['elsewhere and not there', '/no/such', 'UNSUPPORTED', 'containers may not boot /no/such on this host'],
  ['not there', at('ok/none'), 'INVALID_SPEC', 'no such file or directory'],
  ['a link to nothing', at('ok/broken'), 'INVALID_SPEC', 'no such file or directory'],
  ['a folder', at('ok/deep'), 'INVALID_SPEC', 'is not a file'],
];
for (const [name, file, code, text] of REFUSED) {
  test(`a file that is refused: ${name}`, () => {
    throwsVxn(() => boot({ kernel: file }), code, text);
    throwsVxn(() => boot({ kernel: file }), code, 'annotation org.openembedded.vxn.kernel: ');
    throwsVxn(() => boot({ initrd: file }), code, text);
    throwsVxn(() => boot({}, { kernel: { path: file } }), code, 'config.json: vm.kernel.path: ');
    throwsVxn(() => boot({}, { kernel: { initrd: file } }), code, 'config.json: vm.kernel.initrd: ');
  });
}

test('a command line that Xen would cut off', () => {
  throwsVxn(
    () => boot({ type: 'pv', 'cmdline-extra': 'x'.repeat(1000) }),
    'INVALID_SPEC',
    'a pv guest takes 1023',
  );
  assert.ok(boot({ type: 'pvh', 'cmdline-extra': 'x'.repeat(1000) }));
  const parameters = Array.from({ length: 200 }, () => 'xxxxxxxxxxx');
  throwsVxn(
    () => boot({ type: 'pvh' }, { kernel: { parameters } }),
    'INVALID_SPEC',
    'a pvh guest takes 2047',
  );
});

test('kernel parameters of the vm section need what the annotation cmdline-extra needs', () => {
  const settings = { ...CONFIG, annotations: DEFAULTS.annotations };
  const vm = (parameters: string[]) => parseVm({ kernel: { parameters } });
  throwsVxn(
    () => chooseBoot(Annotations.read({}, []), vm(['init=/bin/sh']), settings, settings),
    'UNSUPPORTED',
    'config.json: vm.kernel.parameters is not allowed on this host (to allow it, add "cmdline-extra" to annotations in /etc/vxn/vxn.yaml)',
  );
  assert.equal(chooseBoot(Annotations.read({}, []), vm([]), settings, settings).cmdline, 'settings=1');
  const allowed = { ...CONFIG, annotations: ['cmdline-*'] };
  assert.equal(chooseBoot(Annotations.read({}, []), vm(['a=1']), allowed, allowed).cmdline, 'settings=1 a=1');
});
