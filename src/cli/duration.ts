// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
};

/**
 * Milliseconds of a duration as runc takes it (`5s`, `1m30s`, `500ms`). Throws USAGE unless it is
 * above 0 and below 2^31 ms.
 */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/gy)];
  const whole = parts.map((part) => part[0]).join('') === text;
  const ms = parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNITS[unit ?? ''] ?? 0), 0);
  if (whole && ms > 0 && ms < 2 ** 31) return Math.max(1, ms);
  throw new VxnError('USAGE', `the interval must be a duration above 0, not "${text}"`, {
    hint: 'such as 5s, 500ms or 1m30s',
  });
}
