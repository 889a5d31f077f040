// SPDX-License-Identifier: MIT
// Domains whose first process is vxn-agent. The agent gets the description of the container over
// the channel.

import { encodeFrame, Type } from '../../channel/protocol.ts';
import { describeNetwork } from '../network-request.ts';
import { checkDescription, writeStartFrames } from '../start-frames.ts';
import type { Kind } from './kind.ts';

/** The kind `agent`. */
export const agentKind: Kind = {
  check: (spec, config) => void checkDescription(spec, config),
  images: (_spec, { kernel, initramfs }) => ({ kernel, initramfs }),
  disks: (rootDisk) => [{ vdev: 'xvda', file: rootDisk, readonly: false }],
  room: () => 0,
  monitorArgs: [],
  // The monitor reads the JOIN frame itself, and passes on the other ones.
  describe: (launch) =>
    writeStartFrames(launch, {
      rootDisk: 'xvda',
      first: [encodeFrame(Type.Join, 0, describeNetwork(launch.network, launch.spec))],
    }),
};
