// SPDX-License-Identifier: MIT

/** An error of the lab that its user can mend. The message says how. */
export class LabError extends Error {
  override name = 'LabError';
}
