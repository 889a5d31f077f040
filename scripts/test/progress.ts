// SPDX-License-Identifier: MIT
// The status line. For each running stage it shows the progress, and the time of the present step.
import type { Screen } from './screen.ts';

interface Going {
  stage: string;
  step: string;
  since: number;
}

/** Seconds. The time of a shorter step is not shown. */
const NOTEWORTHY = 5;

function shown({ stage, step, since }: Going, now: number): string {
  const seconds = Math.floor((now - since) / 1000);
  return `${stage}${step && `: ${step}`}${seconds < NOTEWORTHY ? '' : ` (${seconds} s)`}`;
}

/** The work of all stages, on the status line of a screen. */
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

  /** Notes the present step of a stage. */
  at(stage: string, step = ''): void {
    this.#going.set(stage, { stage, step, since: this.now() });
    this.#show();
  }

  /** Notes the end of a stage. */
  ended(stage: string): void {
    this.#going.delete(stage);
    this.#show();
  }

  /** Removes the status line, because no stage follows. */
  close(): void {
    clearInterval(this.#timer);
    this.#going.clear();
    this.#show();
  }

  #show(): void {
    this.screen.status([...this.#going.values()].map((going) => shown(going, this.now())).join(' | '));
  }
}
