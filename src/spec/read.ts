// SPDX-License-Identifier: MIT
// Readers for JSON that nobody has checked. Each one gives a value of its type, or throws
// INVALID_SPEC with the path of the property, such as `linux.resources`.
import { VxnError } from '../host/errors.ts';

export type Json = Readonly<Record<string, unknown>>;

/** An INVALID_SPEC error about a property. Its sentence begins with path and ends with what. */
export function invalid(path: string, what: string): VxnError {
  return new VxnError('INVALID_SPEC', `config.json: ${path} ${what}`);
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** An object, but not a list. Throws INVALID_SPEC. */
export function object(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'must be an object');
  return value as Json;
}

/** An object, or undefined when the value is absent or null. Throws INVALID_SPEC. */
export function optionalObject(value: unknown, path: string): Json | undefined {
  return absent(value) ? undefined : object(value, path);
}

/** A string without NUL, because no consumer of these strings can hold one. Throws INVALID_SPEC. */
export function string(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalid(path, 'must be a string');
  if (value.includes('\0')) throw invalid(path, 'must not contain a NUL character');
  return value;
}

/** A string without NUL, or undefined when the value is absent or null. Throws INVALID_SPEC. */
export function optionalString(value: unknown, path: string): string | undefined {
  return absent(value) ? undefined : string(value, path);
}

/** A string that begins with `/`. Throws INVALID_SPEC. */
export function absolutePath(value: unknown, path: string): string {
  const s = string(value, path);
  if (!s.startsWith('/')) throw invalid(path, `must be an absolute path, not "${s}"`);
  return s;
}

/** A boolean. An absent value is false. Throws INVALID_SPEC. */
export function boolean(value: unknown, path: string): boolean {
  if (absent(value)) return false;
  if (typeof value !== 'boolean') throw invalid(path, 'must be true or false');
  return value;
}

/** An integer from min to max. Throws INVALID_SPEC. */
export function integer(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(path, 'must be an integer');
  if (value < min || value > max) throw invalid(path, `must be from ${min} to ${max}`);
  return value;
}

/**
 * An integer from min to max, or undefined when the value is absent or null. Throws INVALID_SPEC.
 */
export function optionalInteger(value: unknown, path: string, min: number, max: number): number | undefined {
  return absent(value) ? undefined : integer(value, path, min, max);
}

/**
 * The elements of a list. read gets each element with its own path. An absent list is empty. Throws
 * INVALID_SPEC.
 */
export function list<T>(value: unknown, path: string, read: (v: unknown, path: string) => T): T[] {
  if (absent(value)) return [];
  if (!Array.isArray(value)) throw invalid(path, 'must be a list');
  return value.map((v, i) => read(v, `${path}[${i}]`));
}

/** An object whose values are all strings. An absent object is empty. Throws INVALID_SPEC. */
export function stringMap(value: unknown, path: string): Record<string, string> {
  if (absent(value)) return {};
  const entries = Object.entries(object(value, path));
  return Object.fromEntries(entries.map(([k, v]) => [k, string(v, `${path}.${k}`)]));
}
