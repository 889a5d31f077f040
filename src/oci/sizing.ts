// SPDX-License-Identifier: MIT
// How large the domain is: annotation, else the container's limits, else the settings.
import type { Config } from '../config.ts';
import { VxnError } from '../errors.ts';
import type { Spec } from './spec.ts';

/** The prefix of the annotations that vxn reads. */
export const ANNOTATION_PREFIX = 'org.openembedded.vxn.';

export interface Size {
  /** MiB of the domain. */
  memory: number;
  vcpus: number;
  /** Bytes free in a writable root. */
  rootFree: number;
}

const MIB = 1 << 20;
const MAX_VCPUS = 128;

function annotation(spec: Spec, name: string, min: number, max: number): number | undefined {
  const text = spec.annotations[`${ANNOTATION_PREFIX}${name}`];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw new VxnError(
      'INVALID_SPEC',
      `annotation ${ANNOTATION_PREFIX}${name} must be a number from ${min} to ${max}, not "${text}"`,
    );
  }
  return value;
}

function memoryOf(spec: Spec, config: Config): number {
  const limit = spec.memoryLimit ?? -1;
  if (limit <= 0) return config.memory;
  return Math.ceil(limit / MIB) + config.memoryOverhead;
}

function vcpusOf(spec: Spec, config: Config): number {
  const quota = spec.cpuQuota ?? -1;
  if (quota <= 0) return config.vcpus;
  return Math.min(MAX_VCPUS, Math.max(1, Math.ceil(quota / (spec.cpuPeriod || 100_000))));
}

/** The domain's size. Throws INVALID_SPEC on an annotation that is no number in its range. */
export function sizeDomain(spec: Spec, config: Config): Size {
  return {
    memory: annotation(spec, 'memory', 64, 1 << 24) ?? memoryOf(spec, config),
    vcpus: annotation(spec, 'vcpus', 1, MAX_VCPUS) ?? vcpusOf(spec, config),
    rootFree: (annotation(spec, 'root-free', 0, 1 << 24) ?? (spec.root.readonly ? 4 : config.rootFree)) * MIB,
  };
}
