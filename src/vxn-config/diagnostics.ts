// SPDX-License-Identifier: MIT
// Everything that is wrong with a description, and where: collected, not thrown one by one.

/** Part of the interface: CI and editors match on the code. */
export type DiagnosticCode =
  | 'YAML_SYNTAX'
  | 'UNKNOWN_KEY'
  | 'DUPLICATE_KEY'
  | 'WRONG_TYPE'
  | 'NOT_ONE_OF'
  | 'OUT_OF_RANGE'
  | 'BAD_VALUE'
  | 'MISSING_KEY'
  | 'BAD_SETTING'
  | 'UNKNOWN_TARGET'
  | 'EXTENDS_LOOP'
  | 'UNREADABLE'
  | 'BAD_SET'
  | 'COMBINATION'
  | 'NOT_FAIL_CLOSED'
  // In the files of others, found by `install`.
  | 'NOT_TOML'
  | 'NOT_JSON'
  | 'TOO_NEW'
  | 'CONFLICT';

const OF_OTHERS: readonly DiagnosticCode[] = ['NOT_TOML', 'NOT_JSON', 'TOO_NEW', 'CONFLICT'];

/** A text that a description came from: a file, or an argument of --set. */
export interface Source {
  name: string;
  text: string;
}

/** A stretch of a source, as offsets. */
export interface Place {
  source: Source;
  start: number;
  end: number;
}

export interface Diagnostic {
  code: DiagnosticCode;
  message: string;
  place: Place | undefined;
  hint: string | undefined;
}

export interface Position {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** The line itself. */
  text: string;
}

/** A place in words, for people. */
export function position(place: Place): Position {
  const { name, text } = place.source;
  const start = Math.min(place.start, text.length);
  const before = text.slice(0, start);
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = text.indexOf('\n', start);
  return {
    file: name,
    line: before.split('\n').length,
    column: [...text.slice(lineStart, start)].length + 1,
    text: text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd).replace(/\r$/, ''),
  };
}

const WINDOW = 100;

// A terminal must not be steered by a description, and a caret needs columns that are one wide.
const plain = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => (c === '\t' ? ' ' : '?'));

function excerpt(place: Place): string {
  const { line, column, text } = position(place);
  const characters = [...plain(text)];
  const from = Math.max(0, Math.min(column - 1 - WINDOW / 2, characters.length - WINDOW));
  const shown = characters.slice(from, from + WINDOW).join('');
  const length = [...(place.source.text.slice(place.start, place.end).split('\n')[0] ?? '')].length;
  const carets = Math.max(1, Math.min(length, from + WINDOW - (column - 1)));
  const gutter = String(line).padStart(5);
  return `${gutter} | ${shown}\n${' '.repeat(gutter.length)} | ${' '.repeat(column - 1 - from)}${'^'.repeat(carets)}`;
}

/** `FILE:LINE:COLUMN: error: MESSAGE [CODE]`, the line with a caret under the place, and a hint. */
export function formatDiagnostic({ code, message, place, hint }: Diagnostic): string {
  const head = `error: ${plain(message)} [${code}]`;
  const tail = hint === undefined ? [] : [`      hint: ${plain(hint)}`];
  if (place === undefined) return [head, ...tail].join('\n');
  const { file, line, column } = position(place);
  return [`${plain(file)}:${line}:${column}: ${head}`, excerpt(place), ...tail].join('\n');
}

/** The same for programs. */
export function diagnosticJson({ code, message, place, hint }: Diagnostic): object {
  const at = place === undefined ? {} : position(place);
  const { file, line, column } = at as Partial<Position>;
  return { code, message, file, line, column, hint };
}

/** File by file as they came up, each from top to bottom. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sources = [...new Set(diagnostics.map((d) => d.place?.source))];
  return sources.flatMap((source) =>
    diagnostics
      .filter((d) => d.place?.source === source)
      .sort((a, b) => (a.place?.start ?? 0) - (b.place?.start ?? 0)),
  );
}

/** Everything that is wrong with a description, or with files of others that it meets. */
export class DescriptionError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const sorted = inOrder(diagnostics);
    super(sorted.map(formatDiagnostic).join('\n'));
    this.name = 'DescriptionError';
    this.diagnostics = sorted;
  }

  /** Whether the description is right, and what it meets is in its way. */
  get isConflict(): boolean {
    return this.diagnostics.every(({ code }) => OF_OTHERS.includes(code));
  }
}
