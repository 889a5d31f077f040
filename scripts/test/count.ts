// SPDX-License-Identifier: MIT

/** How many checks went well, and how many did not. */
export interface Count {
  passed: number;
  failed: number;
}

export const PASS: Count = { passed: 1, failed: 0 };
export const FAIL: Count = { passed: 0, failed: 1 };

/** The counts added up. */
export const sum = (counts: readonly Count[]): Count => ({
  passed: counts.reduce((n, c) => n + c.passed, 0),
  failed: counts.reduce((n, c) => n + c.failed, 0),
});
