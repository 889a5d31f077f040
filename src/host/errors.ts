// SPDX-License-Identifier: MIT

/**
 * Every way in which vxn fails that a user can act on. The codes are part of the interface: tests
 * and tools match on them.
 */
export type ErrorCode =
  | 'USAGE'
  | 'INVALID_ID'
  | 'INVALID_BUNDLE'
  | 'INVALID_SPEC'
  | 'UNSUPPORTED'
  | 'INVALID_CONFIG'
  | 'ALREADY_EXISTS'
  | 'DOES_NOT_EXIST'
  | 'WRONG_STATE'
  | 'DISK'
  | 'TOOLSTACK'
  | 'MONITOR'
  | 'GUEST'
  | 'NETWORK'
  | 'HOOK'
  | 'HOST';

/**
 * A failure with a stable code, a sentence for the user and a hint at what to do. The exit code is
 * 1, as runc's, unless said otherwise. Engines match on some of the sentences: they are runc's to
 * the letter.
 */
export class VxnError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; exitCode?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VxnError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }

  /** Message and hint as one line, for --log and stderr. */
  get line(): string {
    const text = this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
    return text.replace(/\s*\n\s*/g, ' ');
  }
}

/** The errno name of a failed system call (`ENOENT`), or undefined for any other error. */
export function errno(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/**
 * Gives the result of action, or undefined when a system call in it fails with one of these errno
 * names. Throws every other error.
 */
export function attempt<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (codes.includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

/** The message of an unknown thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
