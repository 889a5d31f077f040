// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVm } from '../../src/spec/vm.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const NOTHING = { kernel: undefined, parameters: [], initrd: undefined, memory: undefined, vcpus: undefined };

test('no section', () => {
  assert.equal(parseVm(undefined), undefined);
  assert.equal(parseVm(null), undefined);
});

test('a section that is as empty as a program leaves it', () => {
  assert.deepEqual(parseVm({}), NOTHING);
  const empty = {
    hypervisor: { path: '', parameters: [] },
    kernel: { path: '', parameters: null, initrd: '' },
    image: { path: '', format: '' },
    hwconfig: { deviceTree: '', vcpus: 0, memory: 0, dtdevs: [], iomems: null, irqs: [] },
  };
  assert.deepEqual(parseVm(empty), NOTHING);
});

for (const key of ['hwConfig', 'hwconfig']) {
  test(`kernel and ${key}`, () => {
    const vm = parseVm({
      kernel: { path: '/k', parameters: ['quiet', 'a=b c'], initrd: '/i' },
      [key]: { memory: 2 ** 30, vcpus: 2 },
    });
    assert.deepEqual(vm, {
      kernel: '/k',
      parameters: ['quiet', '"a=b c"'],
      initrd: '/i',
      memory: 2 ** 30,
      vcpus: 2,
    });
  });
  for (const [name, value] of [
    ['deviceTree', '/x.dtb'],
    ['dtdevs', ['/soc/uart']],
    ['iomems', [{ firstGFN: 1, firstMFN: 1, nrMFNs: 1 }]],
    ['irqs', [5]],
  ] as const) {
    test(`vm.${key}.${name} is refused`, () =>
      throwsVxn(
        () => parseVm({ [key]: { [name]: value } }),
        'UNSUPPORTED',
        `config.json: vm.${key}.${name} is not supported: `,
      ));
  }
}

const REFUSED: [vm: unknown, text: string][] = [
  [{ hypervisor: { path: '/usr/bin/qemu' } }, 'vm.hypervisor is not supported: the hypervisor is Xen'],
  [{ hypervisor: { parameters: ['--x'] } }, 'vm.hypervisor is not supported: the hypervisor is Xen'],
  [{ image: { path: '/i.raw', format: 'raw' } }, 'vm.image is not supported: the root disk'],
];
for (const [vm, text] of REFUSED) {
  test(`refused: ${JSON.stringify(vm)}`, () => throwsVxn(() => parseVm(vm), 'UNSUPPORTED', text));
}

const INVALID: [vm: unknown, text: string][] = [
  [[], 'config.json: vm must be an object'],
  ['x', 'config.json: vm must be an object'],
  [{ kernel: '/k' }, 'vm.kernel must be an object'],
  [{ kernel: { path: 'k' } }, 'vm.kernel.path must be an absolute path, not "k"'],
  [{ kernel: { initrd: 'i' } }, 'vm.kernel.initrd must be an absolute path'],
  [{ kernel: { parameters: 'quiet' } }, 'vm.kernel.parameters must be a list'],
  [{ kernel: { parameters: ['a"b'] } }, 'vm.kernel.parameters[0] must not hold quotes or control characters'],
  [{ kernel: { parameters: ['a', 'b\n'] } }, 'vm.kernel.parameters[1] must not hold'],
  [{ kernel: { parameters: [' '] } }, 'vm.kernel.parameters[0] must not be empty'],
  [{ hwConfig: { memory: -1 } }, 'vm.hwConfig.memory must be from 0'],
  [{ hwConfig: { memory: '1G' } }, 'vm.hwConfig.memory must be an integer'],
  [{ hwconfig: { vcpus: 1.5 } }, 'vm.hwconfig.vcpus must be an integer'],
  [{ hwConfig: { vcpus: 1 }, hwconfig: { vcpus: 1 } }, 'vm has both hwConfig and hwconfig'],
];
for (const [vm, text] of INVALID) {
  test(`invalid: ${JSON.stringify(vm)}`, () => throwsVxn(() => parseVm(vm), 'INVALID_SPEC', text));
}
