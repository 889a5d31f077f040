// SPDX-License-Identifier: MIT
// Domains with vxn-agent as their first process: it is told of the container over the channel.

import { FIRST } from '../../channel/description.ts';
import { encodeFrame, Type } from '../../channel/protocol.ts';
import { describeNetwork } from '../network-request.ts';
import { checkDescription, writeStartFrames } from '../start-frames.ts';
import type { Kind } from './kind.ts';

export const agentKind: Kind = {
  check: (spec, config) => void checkDescription(spec, config),
  images: (_spec, { kernel, initramfs }) => ({ kernel, initramfs }),
  disks: (rootDisk) => [{ vdev: 'xvda', file: rootDisk, readonly: false }],
  room: () => 0,
  monitorArgs: [],
  // The monitor takes NETWORK for itself and passes on the rest.
  describe: (launch) =>
    writeStartFrames(launch, {
      rootDisk: 'xvda',
      first: [encodeFrame(Type.Network, FIRST, describeNetwork(launch.network, launch.spec))],
    }),
};
