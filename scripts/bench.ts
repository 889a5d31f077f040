// SPDX-License-Identifier: MIT
// npm run bench [runtime|exec|lab|network]: measures, and says whether the figures reach their
// goals.
import { HOST_PACKAGES } from '../lab/packages.ts';
import { benchExec } from './bench/exec.ts';
import { benchLab } from './bench/lab.ts';
import { benchNetwork } from './bench/network.ts';
import { benchRuntime } from './bench/runtime.ts';
import { BENCH_PACKAGES, ensureHostPackages, UNIT_PACKAGES } from './host-packages.ts';

// Both variables change the time of an empty node.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

const what = process.argv[2] ?? 'all';
if (!['all', 'runtime', 'exec', 'lab', 'network'].includes(what)) {
  process.stderr.write('usage: npm run bench [runtime|exec|lab|network]\n');
  process.exit(2);
}
const wanted = (part: string): boolean => what === part || what === 'all';
ensureHostPackages([
  ...(wanted('runtime') ? BENCH_PACKAGES : []),
  ...(wanted('exec') ? UNIT_PACKAGES : []),
  ...(wanted('lab') || wanted('network') ? [...BENCH_PACKAGES, ...HOST_PACKAGES] : []),
]);
if (wanted('runtime')) benchRuntime();
if (wanted('exec')) await benchExec();
if (wanted('lab')) await benchLab();
if (wanted('network')) await benchNetwork();
process.exit();
