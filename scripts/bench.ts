// SPDX-License-Identifier: MIT
// npm run bench [runtime|lab]: figures, and whether they reach their goals.
import { HOST_PACKAGES } from '../lab/packages.ts';
import { benchLab } from './bench/lab.ts';
import { benchRuntime } from './bench/runtime.ts';
import { BENCH_PACKAGES, ensureHostPackages } from './host-packages.ts';

// Both change what an empty node costs.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

const what = process.argv[2] ?? 'all';
if (!['all', 'runtime', 'lab'].includes(what)) {
  process.stderr.write('usage: npm run bench [runtime|lab]\n');
  process.exit(2);
}
ensureHostPackages(what === 'runtime' ? BENCH_PACKAGES : [...BENCH_PACKAGES, ...HOST_PACKAGES]);
if (what !== 'lab') benchRuntime();
if (what !== 'runtime') await benchLab();
process.exit();
