// SPDX-License-Identifier: MIT
// Reading JSON that nobody has checked: each function gives a value of its type or throws INVALID_SPEC naming the place.
import { VxnError } from '../host/errors.ts';

export type Json = Readonly<Record<string, unknown>>;

export function invalid(path: string, what: string): VxnError {
  return new VxnError('INVALID_SPEC', `config.json: ${path} ${what}`);
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function object(value: unknown, path: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'must be an object');
  return value as Json;
}

export function optionalObject(value: unknown, path: string): Json | undefined {
  return absent(value) ? undefined : object(value, path);
}

/** A string without NUL: none of the places that these strings go to can hold one. */
export function string(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalid(path, 'must be a string');
  if (value.includes('\0')) throw invalid(path, 'must not contain a NUL character');
  return value;
}

export function optionalString(value: unknown, path: string): string | undefined {
  return absent(value) ? undefined : string(value, path);
}

export function absolutePath(value: unknown, path: string): string {
  const s = string(value, path);
  if (!s.startsWith('/')) throw invalid(path, `must be an absolute path, not "${s}"`);
  return s;
}

export function boolean(value: unknown, path: string): boolean {
  if (absent(value)) return false;
  if (typeof value !== 'boolean') throw invalid(path, 'must be true or false');
  return value;
}

export function integer(value: unknown, path: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(path, 'must be an integer');
  if (value < min || value > max) throw invalid(path, `must be from ${min} to ${max}`);
  return value;
}

export function optionalInteger(value: unknown, path: string, min: number, max: number): number | undefined {
  return absent(value) ? undefined : integer(value, path, min, max);
}

/** Each element through read, with its own path; an absent list is empty. */
export function list<T>(value: unknown, path: string, read: (v: unknown, path: string) => T): T[] {
  if (absent(value)) return [];
  if (!Array.isArray(value)) throw invalid(path, 'must be a list');
  return value.map((v, i) => read(v, `${path}[${i}]`));
}

/** An object whose values are all strings; an absent one is empty. */
export function stringMap(value: unknown, path: string): Record<string, string> {
  if (absent(value)) return {};
  const entries = Object.entries(object(value, path));
  return Object.fromEntries(entries.map(([k, v]) => [k, string(v, `${path}.${k}`)]));
}
