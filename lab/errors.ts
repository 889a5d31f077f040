// SPDX-License-Identifier: MIT

/** An error of the lab that its user can act on; the message says what to do. */
export class LabError extends Error {
  override name = 'LabError';
}
