// SPDX-License-Identifier: MIT
// The annotations that vxn takes. docs/annotations.md is their reference, and a test holds it
// against the table here.

import { VxnError } from '../host/errors.ts';
import { matchesGlob } from '../host/glob.ts';
import { parseInterface, parseIpv4 } from '../host/ipv4.ts';
import { nearest } from '../host/nearest.ts';
import { parseCpuList } from './resources.ts';

/** Every annotation under this prefix is vxn's. */
export const ANNOTATION_PREFIX = 'org.openembedded.vxn.';

/** MiB. */
export const MAX_MEMORY = 1 << 24;
/** MiB. A guest with less does not boot. */
export const MIN_MEMORY = 64;
export const MAX_VCPUS = 128;
export const MAX_WEIGHT = 65535;

interface Rule {
  /** Describes the valid values, for people. */
  value: string;
  /** The value as vxn uses it, or undefined when the text is not valid. */
  read(text: string): number | string | undefined;
}

function wholeNumber(min: number, max: number, unit = ''): Rule {
  return {
    value: `a number from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`,
    read(text) {
      const value = Number(text);
      return /^\d{1,9}$/.test(text) && value >= min && value <= max ? value : undefined;
    },
  };
}

const path: Rule = {
  value: 'an absolute path',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  read: (text) => (/^\/[^\x00-\x1f\x7f]{1,4095}$/.test(text) ? text : undefined),
};

const RULES = {
  memory: wholeNumber(MIN_MEMORY, MAX_MEMORY, 'MiB'),
  maxmem: wholeNumber(MIN_MEMORY, MAX_MEMORY, 'MiB'),
  vcpus: wholeNumber(1, MAX_VCPUS),
  maxvcpus: wholeNumber(1, MAX_VCPUS),
  cpus: {
    value: 'a list of processors such as 0-3,6',
    read: (text: string) => (parseCpuList(text) === undefined ? undefined : text),
  },
  weight: wholeNumber(1, MAX_WEIGHT),
  cap: wholeNumber(0, MAX_VCPUS * 100, 'percent of one processor, 0 for no limit'),
  'root-free': wholeNumber(0, MAX_MEMORY, 'MiB'),
  type: {
    value: 'pv or pvh',
    read: (text: string) => (text === 'pv' || text === 'pvh' ? text : undefined),
  },
  'guest-protocol': {
    value: 'agent or marker',
    read: (text: string) => (text === 'agent' || text === 'marker' ? text : undefined),
  },
  kernel: path,
  initrd: path,
  'cmdline-extra': {
    value: 'at most 1024 printable characters',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    read: (text: string) => (/^[^\x00-\x1f\x7f]{1,1024}$/.test(text) ? text : undefined),
  },
  'network-mode': {
    value: 'namespace, bridge or none',
    // planNetwork() refuses `host`, because it can say more about it.
    read: (text: string) => (['namespace', 'bridge', 'none', 'host'].includes(text) ? text : undefined),
  },
  'network-bridge': {
    value: 'the name of an interface',
    read: (text: string) => (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,14}$/.test(text) ? text : undefined),
  },
  'network-address': {
    value: 'an IPv4 address with its prefix such as 192.168.1.7/24, or dhcp',
    read: (text: string) => (text === 'dhcp' || parseInterface(text) !== undefined ? text : undefined),
  },
  'network-gateway': {
    value: 'an IPv4 address',
    read: (text: string) => (parseIpv4(text) === undefined ? undefined : text),
  },
} satisfies Record<string, Rule>;

export type AnnotationName = keyof typeof RULES;

/** The names of all annotations, without the prefix. */
export const ANNOTATION_NAMES = Object.keys(RULES) as AnnotationName[];

/** Describes the valid values of an annotation, for people. */
export const valueText = (name: AnnotationName): string => RULES[name].value;

/**
 * The annotations that are allowed unless the settings say otherwise. They change how much a
 * container gets, not what it runs on.
 */
export const DEFAULT_ALLOWED: readonly AnnotationName[] = [
  'memory',
  'maxmem',
  'vcpus',
  'maxvcpus',
  'cpus',
  'weight',
  'cap',
  'root-free',
];

/**
 * Checks that the settings allow an annotation. what: the annotation, or a property that does the
 * same, as the error names it. allowed: names or globs of the settings. Throws UNSUPPORTED.
 */
export function checkAllowed(what: string, name: string, allowed: readonly string[]): void {
  if (allowed.some((pattern) => matchesGlob(name, pattern))) return;
  throw new VxnError('UNSUPPORTED', `${what} is not allowed on this host`, {
    hint: `to allow it, add "${name}" to annotations in /etc/vxn/vxn.yaml`,
  });
}

/** The vxn annotations of a container, checked. */
export class Annotations {
  private constructor(private readonly values: ReadonlyMap<string, number | string>) {}

  /**
   * Takes the vxn annotations out of all annotations of a container. allowed holds names or globs
   * from the settings. Throws INVALID_SPEC on an unknown annotation or a wrong value, UNSUPPORTED
   * on an annotation that this host does not allow.
   */
  static read(annotations: Readonly<Record<string, string>>, allowed: readonly string[]): Annotations {
    const values = new Map<string, number | string>();
    for (const [key, text] of Object.entries(annotations)) {
      if (!key.startsWith(ANNOTATION_PREFIX)) continue;
      const name = key.slice(ANNOTATION_PREFIX.length);
      values.set(name, readOne(key, name, text, allowed));
    }
    return new Annotations(values);
  }

  /** The value of an annotation that holds a number, or undefined when the container has none. */
  number(name: AnnotationName): number | undefined {
    return this.values.get(name) as number | undefined;
  }

  /** The value of an annotation that holds text, or undefined when the container has none. */
  text(name: AnnotationName): string | undefined {
    return this.values.get(name) as string | undefined;
  }
}

function readOne(key: string, name: string, text: string, allowed: readonly string[]): number | string {
  const rule: Rule | undefined = Object.hasOwn(RULES, name) ? RULES[name as AnnotationName] : undefined;
  if (rule === undefined) {
    const guess = nearest(name, ANNOTATION_NAMES);
    throw new VxnError('INVALID_SPEC', `unknown annotation ${key}`, {
      hint: guess === undefined ? 'see docs/annotations.md' : `did you mean ${ANNOTATION_PREFIX}${guess}?`,
    });
  }
  checkAllowed(`annotation ${key}`, name, allowed);
  const value = rule.read(text);
  if (value !== undefined) return value;
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  throw new VxnError('INVALID_SPEC', `annotation ${key} must be ${rule.value}, not ${JSON.stringify(shown)}`);
}
