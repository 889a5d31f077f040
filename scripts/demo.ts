// SPDX-License-Identifier: MIT
// `npm run demo`: shows the user the whole way from nothing to a container that runs as a Xen
// domain.
import { deploy } from '../lab/deploy.ts';
import { ensureLab } from '../lab/lab.ts';
import { IMAGE } from '../lab/oci-image.ts';
import { HOST_PACKAGES } from '../lab/packages.ts';
import { ensureHostPackages } from './host-packages.ts';

const ROOT = '/run/containerd/runc/default';
const ID = `demo-${process.pid}`;
const PROGRAM = `
echo "hello, I am process $$ as user $(id -un)"
echo "kernel: $(uname -sr), up $(cut -d. -f1 /proc/uptime) s, $(grep MemTotal /proc/meminfo)"
for i in 1 2 3; do echo "line $i"; sleep 1; done
echo "this one goes to stderr" >&2
exit 7`;

const began = performance.now();

function say(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`${seconds} s  ${text}\n`);
}

async function demo(): Promise<number> {
  say('checking the host packages');
  await ensureHostPackages(HOST_PACKAGES);
  const lab = await ensureLab({ report: say });
  await deploy(lab, say);
  const xen = await lab.sh(
    "xl info | awk -F': ' '/^(xen_version|total_memory|release)/ { print $2 }' | paste -sd ' '",
  );
  say(`Dom0 is up: kernel, MiB, Xen: ${xen.stdout.toString().trim()}`);
  const shown = PROGRAM.trim().split('\n').join('\n             ');
  process.stdout.write(`\n  $ vctr run --rm ${IMAGE} ${ID} /bin/sh -c '\n             ${shown}'\n\n`);
  const line = (stream: string) => (chunk: Buffer) => {
    for (const text of chunk.toString().trimEnd().split('\n')) say(`${stream}  ${text}`);
  };
  const domains = lab.sh('until xl list | grep vxn-demo; do sleep 0.5; done', { timeoutMs: 120_000 }).then(
    (r) => say(`Xen      ${r.stdout.toString().trim().replace(/ +/g, ' ')}`),
    () => undefined,
  );
  const result = await lab.exec(['vctr', 'run', '--rm', IMAGE, ID, '/bin/sh', '-c', PROGRAM], {
    onStdout: line('stdout'),
    onStderr: line('stderr'),
    timeoutMs: 240_000,
  });
  await domains;
  say(`exit status ${result.status}\n`);
  const timeline = await lab.exec(['vxn-oci-runtime', '--root', ROOT, 'timeline', ID]);
  process.stdout.write(timeline.stdout);
  process.stdout.write('\nThe lab stays up: npm run lab -- exec -- xl list; npm run lab -- down ends it.\n');
  return result.status === 7 ? 0 : 1;
}

process.exitCode = await demo();
process.exit();
