// SPDX-License-Identifier: MIT
// The engines of the lab's Dom0, and the test image in each of them.
import type { Lab } from './lab.ts';
import { buildOciImage, IMAGE } from './oci-image.ts';

type Engine = 'ctr' | 'docker' | 'podman';

/** The commands that ask an engine for the image, and that give it the image. */
const IMPORT: Record<Engine, { has: string; take: string }> = {
  ctr: { has: 'ctr images ls -q | grep -qxF "$IMAGE"', take: 'ctr images import -' },
  docker: { has: 'docker image inspect "$IMAGE" >/dev/null 2>&1', take: 'docker load' },
  podman: { has: 'podman image exists "$IMAGE"', take: 'podman load' },
};

/** Gives an engine the test image unless it has it. @throws {Error} with the engine's message. */
export async function importImage(lab: Lab, engine: Engine): Promise<void> {
  const { has, take } = IMPORT[engine];
  const env = { IMAGE };
  if ((await lab.sh(has, { env })).status === 0) return;
  const { status, stderr } = await lab.sh(take, { env, stdin: await buildOciImage() });
  if (status !== 0) throw new Error(`${take}: ${stderr.toString()}`);
}

/**
 * Starts docker's daemon unless it runs. Waits until it answers, and gives it the test image.
 * @throws {Error} with the end of the daemon's log when it does not start.
 */
export async function startDocker(lab: Lab): Promise<void> {
  const { status, stderr } = await lab.exec(['lab-docker', 'start']);
  if (status !== 0) throw new Error(stderr.toString());
  await importImage(lab, 'docker');
}

/**
 * Makes docker and podman ready for use, with the test image. deploy() does the same for
 * containerd.
 */
export async function startEngines(lab: Lab, report: (phase: string) => void = () => {}): Promise<void> {
  report('starting docker, loading the test image');
  await Promise.all([startDocker(lab), importImage(lab, 'podman')]);
}
