// SPDX-License-Identifier: MIT
// The status line: of each stage that is going on, how far it is and for how long its step has been.
import type { Screen } from './screen.ts';

interface Going {
  stage: string;
  step: string;
  since: number;
}

/** A step that has gone on for less is shown without its time, in seconds. */
const NOTEWORTHY = 5;

function shown({ stage, step, since }: Going, now: number): string {
  const seconds = Math.floor((now - since) / 1000);
  return `${stage}${step && `: ${step}`}${seconds < NOTEWORTHY ? '' : ` (${seconds} s)`}`;
}

/** What the stages are doing, on the status line of a screen. */
export class Progress {
  readonly #going = new Map<string, Going>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly screen: Screen,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#timer = setInterval(() => this.#show(), 1000);
    this.#timer.unref();
  }

  /** A stage does this now. */
  at(stage: string, step = ''): void {
    this.#going.set(stage, { stage, step, since: this.now() });
    this.#show();
  }

  /** A stage has ended. */
  ended(stage: string): void {
    this.#going.delete(stage);
    this.#show();
  }

  /** No stage is to come: the status line goes away. */
  close(): void {
    clearInterval(this.#timer);
    this.#going.clear();
    this.#show();
  }

  #show(): void {
    this.screen.status([...this.#going.values()].map((going) => shown(going, this.now())).join(' | '));
  }
}
