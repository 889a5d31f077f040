// SPDX-License-Identifier: MIT

/** A change that can be taken back. */
export interface Undoable {
  do(): Promise<void> | void;
  undo(): void;
}

function undoAll(done: readonly Undoable[]): void {
  for (const change of done) {
    try {
      change.undo();
    } catch {
      // The failure that led here is the one to report.
    }
  }
}

/**
 * Makes all changes in order. When one throws, takes back the earlier ones and throws its error.
 */
export async function allOrNothing(changes: readonly Undoable[]): Promise<void> {
  const done: Undoable[] = [];
  try {
    for (const change of changes) {
      await change.do();
      done.unshift(change);
    }
  } catch (error) {
    undoAll(done);
    throw error;
  }
}
