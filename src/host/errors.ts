// SPDX-License-Identifier: MIT

/** Every way in which vxn fails that a user can act on. Part of the interface: tests and tools match on the code. */
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
 * A failure with a stable code, the sentence for the user, an exit code (1 unless said otherwise, as runc) and a
 * hint at what to do. Engines match on some of the sentences, so those are runc's to the letter.
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

/** What an unknown thrown value says, as one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
