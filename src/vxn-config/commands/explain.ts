// SPDX-License-Identifier: MIT

import { VxnError } from '../../host/errors.ts';
import { nearest } from '../../host/nearest.ts';
import { explainKey, KEYS } from '../reference.ts';
import type { Context } from './context.ts';

/** The key that a word means: its whole name, or the end of one key's name only. */
function find(word: string) {
  const exact = KEYS.find((k) => k.name === word);
  if (exact !== undefined) return exact;
  const ends = KEYS.filter((k) => k.name.endsWith(`.${word}`));
  if (ends.length === 1) return ends[0];
  const names = ends.length > 1 ? ends.map((k) => k.name) : [];
  const near =
    names.length === 0
      ? nearest(
          word.slice(0, 60),
          KEYS.map((k) => k.name),
        )
      : undefined;
  const guess = near === undefined ? '`vxn-config explain` lists all' : `did you mean "${near}"?`;
  throw new VxnError('USAGE', `there is no key "${word}"`, {
    hint: names.length > 0 ? `which of ${names.join(', ')}?` : guess,
  });
}

/** Prints what a key of a description is for, or all keys. */
export function explain(context: Context, key: string | undefined, { json }: { json?: boolean }): void {
  const found = key === undefined ? undefined : find(key);
  if (json === true) {
    context.print(`${JSON.stringify(found ?? KEYS.filter((k) => k.name !== ''), null, 2)}\n`);
    return;
  }
  if (found !== undefined) {
    context.print(explainKey(found));
    return;
  }
  const keys = KEYS.filter((k) => !k.isSection);
  const width = Math.max(...keys.map((k) => k.name.length));
  context.print(keys.map((k) => `${k.name.padEnd(width)}  ${k.doc}\n`).join(''));
}
