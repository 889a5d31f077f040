// SPDX-License-Identifier: MIT
// The only place that prints. On a terminal its last line shows the running work.

/** A stream that may be a terminal. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const CLEAR_LINE = '\r\x1b[K';

/** Prints whole lines, and on a terminal a status line below them. */
export class Screen {
  #status = '';

  constructor(private readonly output: Output = process.stdout) {}

  /** Prints text that ends with a line feed. */
  print(text: string): void {
    if (text === '') return;
    this.#clear();
    this.output.write(text.endsWith('\n') ? text : `${text}\n`);
    this.#draw();
  }

  /** Shows a text below everything that is printed. Does nothing without a terminal. */
  status(text: string): void {
    if (!this.output.isTTY) return;
    this.#clear();
    this.#status = text;
    this.#draw();
  }

  #clear(): void {
    if (this.#status !== '') this.output.write(CLEAR_LINE);
  }

  #draw(): void {
    if (this.#status !== '') this.output.write(this.#status.slice(0, (this.output.columns || 80) - 1));
  }
}

/**
 * Collects chunks into whole lines, each behind a prefix. `end` hands over a last line without a
 * line feed.
 */
export function lines(
  prefix: string,
  show: (text: string) => void,
): { add(chunk: string): void; end(): void } {
  let begun = '';
  return {
    add(chunk) {
      const whole = (begun + chunk).split('\n');
      begun = whole.pop() ?? '';
      show(whole.map((line) => `${prefix}${line}\n`).join(''));
    },
    end() {
      if (begun !== '') show(`${prefix}${begun}\n`);
      begun = '';
    },
  };
}
