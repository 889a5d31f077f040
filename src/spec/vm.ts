// SPDX-License-Identifier: MIT
// The vm section of a configuration (runtime-spec config-vm.md).
import { VxnError } from '../host/errors.ts';
import {
  absolutePath,
  invalid,
  type Json,
  list,
  object,
  optionalInteger,
  optionalObject,
  string,
} from './read.ts';

export interface Vm {
  kernel: string | undefined;
  /** Words of the kernel's command line, in quotes where they need them. */
  parameters: string[];
  initrd: string | undefined;
  /** Memory of the whole domain, in bytes. */
  memory: number | undefined;
  vcpus: number | undefined;
}

function refuse(what: string, why: string): never {
  throw new VxnError('UNSUPPORTED', `config.json: ${what} is not supported: ${why}`, {
    hint: 'see docs/annotations.md',
  });
}

/**
 * True when the property is absent or empty. Some programs write all their fields, even empty ones.
 */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}

function optionalPath(value: unknown, path: string): string | undefined {
  return isEmpty(value) ? undefined : absolutePath(value, path);
}

/**
 * A word of a kernel command line. The kernel takes a word with spaces in double quotes, and knows
 * no escapes.
 */
function parameter(value: unknown, path: string): string {
  const word = string(value, path);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/["\x00-\x1f\x7f]/.test(word)) throw invalid(path, 'must not hold quotes or control characters');
  if (word.trim() === '') throw invalid(path, 'must not be empty');
  return /\s/.test(word) ? `"${word}"` : word;
}

const PASSED_THROUGH: readonly (readonly [key: string, why: string])[] = [
  ['deviceTree', 'a container gets no device tree of its own'],
  ['dtdevs', 'devices of the host are not passed through to a container'],
  ['iomems', 'memory of the host is not passed through to a container'],
  ['irqs', 'interrupts of the host are not passed through to a container'],
];

// The specification calls it hwConfig, and its Go binding hwconfig.
function hardware(vm: Json): { value: Json; path: string } {
  if (!isEmpty(vm.hwConfig) && !isEmpty(vm.hwconfig)) throw invalid('vm', 'has both hwConfig and hwconfig');
  const key = isEmpty(vm.hwconfig) ? 'hwConfig' : 'hwconfig';
  const value = optionalObject(vm[key], `vm.${key}`) ?? {};
  for (const [name, why] of PASSED_THROUGH) if (!isEmpty(value[name])) refuse(`vm.${key}.${name}`, why);
  return { value, path: `vm.${key}` };
}

/** Parses the vm section. Gives undefined when there is none. Throws INVALID_SPEC, UNSUPPORTED. */
export function parseVm(value: unknown): Vm | undefined {
  if (value === undefined || value === null) return undefined;
  const vm = object(value, 'vm');
  if (!isEmpty(vm.hypervisor)) refuse('vm.hypervisor', 'the hypervisor is Xen, which runs already');
  if (!isEmpty(vm.image)) refuse('vm.image', 'the root disk is made from root.path');
  const kernel = optionalObject(vm.kernel, 'vm.kernel') ?? {};
  const hw = hardware(vm);
  const parameters = list(kernel.parameters, 'vm.kernel.parameters', parameter);
  return {
    kernel: optionalPath(kernel.path, 'vm.kernel.path'),
    parameters,
    initrd: optionalPath(kernel.initrd, 'vm.kernel.initrd'),
    memory: optionalInteger(hw.value.memory, `${hw.path}.memory`, 0, Number.MAX_SAFE_INTEGER) || undefined,
    vcpus: optionalInteger(hw.value.vcpus, `${hw.path}.vcpus`, 0, 0xffffffff) || undefined,
  };
}
