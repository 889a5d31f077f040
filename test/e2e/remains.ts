// SPDX-License-Identifier: MIT
// What is left of us in Dom0. A process costs a tenth of a second there, so that a look is a few of them and is read here.
import type { Lab } from '../../lab/lab.ts';

/** How a kind of thing is looked for, and which lines of the answer are ours. */
interface Kind {
  name: string;
  look: string;
  isOurs: RegExp;
}

// State is two folders deep: of a container below its root, of a domain below `domains`.
const FILES = [
  'find /run/vxn /var/lib/vxn /sys/fs/cgroup /run/netns /run/containerd/io.containerd.runtime.v2.task/default -mindepth 1',
  '\\( -path "/sys/*" -not -type d -prune -o -print \\) 2>/dev/null',
].join(' ');

const KINDS: readonly Kind[] = [
  { name: 'domain', look: 'xl list', isOurs: /^(?!Name |Domain-0 )/ },
  { name: 'interface', look: 'ip -o link', isOurs: /: vif\d/ },
  { name: 'loop', look: 'losetup -a', isOurs: /./ },
  {
    name: 'process',
    look: 'ps -eo args=',
    isOurs: /^(\S*\/)?(vxn-monitor|vxn-block|xl (create|destroy)|node \S*vxn-oci-runtime|node --snapshot)/,
  },
  { name: 'mount', look: 'cat /proc/mounts', isOurs: /vxn|root\.img/ },
  {
    name: 'file',
    look: FILES,
    isOurs:
      /^\/run\/(netns|containerd\/.*\/default)\/[^/]+$|^\/run\/vxn\/(?!leases\/)[^/]+\/|^\/run\/vxn\/leases\/.|^\/var\/lib\/vxn\/(?!timelines\/)[^/]+\/|^\/sys\/fs\/cgroup\/(?!libpod_parent)[^/]+\//,
  },
  { name: 'container', look: 'ctr containers ls -q', isOurs: /./ },
];

const END = '-- ';
const LOOK = KINDS.map(({ name, look }) => `${look}; echo '${END}${name}'`).join('\n');

/** A line for each thing of ours that is there. */
export async function remains(lab: Lab, timeoutMs: number): Promise<string[]> {
  const { stdout } = await lab.sh(LOOK, { timeoutMs });
  let rest = stdout.toString();
  return KINDS.flatMap(({ name, isOurs }) => {
    const end = rest.indexOf(`${END}${name}\n`);
    if (end < 0) return [`${name}: could not be looked for`];
    const lines = rest.slice(0, end).split('\n');
    rest = rest.slice(end + END.length + name.length + 1);
    return lines.filter((line) => line !== '' && isOurs.test(line)).map((line) => `${name}: ${line}`);
  });
}

// Ends what a test that failed has left, so that it is not the failure of those that follow.
const SCRUB = `
for name in $(xl list | awk 'NR > 2 { print $1 }'); do xl destroy "$name"; done
for id in $(ctr containers ls -q); do
  ctr task rm -f "$id"; ctr containers rm "$id"; ctr snapshots rm "$id"
done
pkill -9 vxn-monitor; pkill -9 -f '[/]vxn-oci-runtime'; pkill -9 -f '[c]ontainerd-shim.* -namespace default'
for task in /run/containerd/io.containerd.runtime.v2.task/default/*; do
  umount "$task/rootfs" 2>/dev/null; rm -rf "$task"
done
find /run/vxn /var/lib/vxn -mindepth 2 -maxdepth 2 -not -path '*/timelines/*' -exec rm -rf {} +
for name in $(ip netns list | cut -d' ' -f1); do ip netns del "$name"; done
find /sys/fs/cgroup -mindepth 2 -depth -type d -exec rmdir {} + 2>/dev/null
losetup -D
`;

/** Removes all of it, by force. What the commands said. */
export async function scrub(lab: Lab, timeoutMs: number): Promise<string> {
  const { stdout, stderr } = await lab.sh(SCRUB, { timeoutMs });
  return `${stdout}${stderr}`;
}
