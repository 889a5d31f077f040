// SPDX-License-Identifier: MIT
import { access } from 'node:fs/promises';

/** Whether a path exists. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
