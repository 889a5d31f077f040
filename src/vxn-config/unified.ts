// SPDX-License-Identifier: MIT

const CONTEXT = 3;

interface Line {
  sign: ' ' | '-' | '+';
  text: string;
}

/** The lines of two texts side by side, by their longest common subsequence. */
function align(a: readonly string[], b: readonly string[]): Line[] {
  const length = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => length[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = length[i] as Uint32Array;
    for (let j = b.length - 1; j >= 0; j--)
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      lines.push({ sign: '-', text: a[i++] ?? '' });
    else lines.push({ sign: '+', text: b[j++] ?? '' });
  }
  return lines;
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
const missingNewline = (text: string): boolean => text !== '' && !text.endsWith('\n');

/** The difference between two texts in the unified form; '' when they are equal. */
export function unifiedDiff(nameA: string, nameB: string, a: string, b: string): string {
  if (a === b) return '';
  const lines = align(linesOf(a), linesOf(b));
  const isNear = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((l) => l.sign !== ' '),
  );
  const out = [`--- ${nameA}`, `+++ ${nameB}`];
  let [lineA, lineB] = [1, 1];
  for (let i = 0; i < lines.length; ) {
    let end = i;
    while (end < lines.length && isNear[end]) end += 1;
    const hunk = lines.slice(i, end);
    const inA = hunk.filter((l) => l.sign !== '+').length;
    const inB = hunk.filter((l) => l.sign !== '-').length;
    if (hunk.length > 0) {
      out.push(`@@ -${inA === 0 ? lineA - 1 : lineA},${inA} +${inB === 0 ? lineB - 1 : lineB},${inB} @@`);
      out.push(...hunk.map((l) => `${l.sign}${l.text}`));
    }
    lineA += inA;
    lineB += inB;
    if (end === i) {
      lineA += 1;
      lineB += 1;
      end += 1;
    }
    i = end;
  }
  if (missingNewline(a) !== missingNewline(b)) out.push('\\ one of them has no newline at its end');
  return `${out.join('\n')}\n`;
}
