// SPDX-License-Identifier: MIT
import { Control } from '../channel/control.ts';
import { askStats, type GuestStats } from '../channel/stats.ts';
import { VxnError } from '../host/errors.ts';

/** How long a guest may take without coming nearer to the wanted value. */
const PATIENCE_MS = 15_000;
const ANSWER_MS = 60_000;
const INTERVAL_MS = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The statistics of a running guest, over one connection to its monitor. */
export class GuestWatch {
  private constructor(private readonly control: Control) {}

  /** Connects to the monitor's control socket. Throws WRONG_STATE when nobody listens there. */
  static async open(socket: string): Promise<GuestWatch> {
    const control = await Control.open(socket);
    if (control === undefined) throw new VxnError('WRONG_STATE', 'container not running');
    return new GuestWatch(control);
  }

  /** The statistics now. Throws GUEST when the guest does not answer. */
  async stats(): Promise<GuestStats> {
    const stats = await askStats(this.control, ANSWER_MS);
    if (stats === undefined)
      throw new VxnError('GUEST', 'the guest does not answer', { hint: 'see logs --console' });
    return stats;
  }

  /**
   * Waits until a figure of the statistics is within tolerance of the wanted value. Gives false
   * when the guest has not come nearer to it for 15 seconds. Throws GUEST when it does not answer.
   */
  async reaches(figure: (stats: GuestStats) => number, wanted: number, tolerance: number): Promise<boolean> {
    let best = Number.POSITIVE_INFINITY;
    let since = performance.now();
    for (;;) {
      const distance = Math.abs(figure(await this.stats()) - wanted);
      if (distance <= tolerance) return true;
      if (distance < best) {
        best = distance;
        since = performance.now();
      }
      if (performance.now() - since > PATIENCE_MS) return false;
      await sleep(INTERVAL_MS);
    }
  }

  /** Closes the connection. */
  close(): void {
    this.control.close();
  }
}
