// SPDX-License-Identifier: MIT
// Who may ask for how much. The settings hold the operator's limits, which bind everybody.
// config.json holds the limits of whoever starts the container. An annotation may come from the
// image, which is a stranger's: it can only ask for less than both.
import type { Config } from '../config/config.ts';
import { VxnError } from '../host/errors.ts';
import {
  ANNOTATION_PREFIX,
  type AnnotationName,
  type Annotations,
  MAX_MEMORY,
  MAX_VCPUS,
  MAX_WEIGHT,
} from '../spec/annotations.ts';

/** A number that is asked for, and the place that asks for it, as errors name it. */
export interface Wish {
  by: string;
  value: number;
}

/** The operator's limit on one domain. */
export interface OperatorLimit {
  setting: 'maxMemory' | 'maxVcpus' | 'maxRootFree' | 'maxWeight';
  most: number;
  /** Of the number, for people. */
  unit: string;
}

// A container that asks for nothing gets the setting's default: the limit is never below it.

/** Of memory and maxmem. */
export function memoryLimit({ maxMemory, memory }: Config): OperatorLimit {
  return { setting: 'maxMemory', most: Math.max(maxMemory || MAX_MEMORY, memory), unit: 'MiB' };
}

/** Of vcpus and maxvcpus, on a host with so many processors (undefined: not known). */
export function vcpusLimit({ maxVcpus, vcpus }: Config, physical: number | undefined): OperatorLimit {
  const most = Math.min(MAX_VCPUS, maxVcpus || (physical ?? MAX_VCPUS));
  return { setting: 'maxVcpus', most: Math.max(most, vcpus), unit: 'vcpus' };
}

/** Of the free space in a root. */
export function rootFreeLimit({ maxRootFree, rootFree }: Config): OperatorLimit {
  return { setting: 'maxRootFree', most: Math.max(maxRootFree || MAX_MEMORY, rootFree), unit: 'MiB' };
}

/** Of the weight that an annotation asks for where linux.resources has no shares. */
export function weightLimit({ maxWeight }: Config): OperatorLimit {
  return { setting: 'maxWeight', most: maxWeight || MAX_WEIGHT, unit: 'of weight' };
}

/** The wish of an annotation, or undefined when the container does not have it. */
export function wishOf(annotations: Annotations, name: AnnotationName): Wish | undefined {
  const value = annotations.number(name);
  return value === undefined ? undefined : { by: `annotation ${ANNOTATION_PREFIX}${name}`, value };
}

/** The number that is asked for. Throws UNSUPPORTED when it is beyond the operator's limit. */
export function withinLimit({ by, value }: Wish, { setting, most, unit }: OperatorLimit): number {
  if (value <= most) return value;
  throw new VxnError('UNSUPPORTED', `${by} asks for ${value} ${unit}, more than the ${most} of this host`, {
    hint: `${setting} in /etc/vxn/vxn.yaml sets the limit`,
  });
}

/**
 * The number that an annotation asks for. Throws INVALID_SPEC when config.json grants less, which is
 * undefined where it sets no limit.
 */
export function withinGrant({ by, value }: Wish, grant: Wish | undefined, unit: string): number {
  if (grant === undefined || value <= grant.value) return value;
  throw moreThanGranted(by, `${value} ${unit}`, String(grant.value), grant.by);
}

/** The error for an annotation that asks for more than the property of config.json grants. */
export function moreThanGranted(by: string, asked: string, granted: string, property: string): VxnError {
  return new VxnError('INVALID_SPEC', `${by} asks for ${asked}, more than the ${granted} of ${property}`, {
    hint: 'an annotation can only ask for less than config.json grants',
  });
}
