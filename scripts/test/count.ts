// SPDX-License-Identifier: MIT

/** The number of passed checks, and the number of failed ones. */
export interface Count {
  passed: number;
  failed: number;
}

export const PASS: Count = { passed: 1, failed: 0 };
export const FAIL: Count = { passed: 0, failed: 1 };

/** The sum of counts. */
export const sum = (counts: readonly Count[]): Count => ({
  passed: counts.reduce((n, c) => n + c.passed, 0),
  failed: counts.reduce((n, c) => n + c.failed, 0),
});
