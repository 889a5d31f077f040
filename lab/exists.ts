// SPDX-License-Identifier: MIT
import { access } from 'node:fs/promises';

/** True when the path exists. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
