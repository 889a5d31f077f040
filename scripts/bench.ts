// SPDX-License-Identifier: MIT
// npm run bench: figures, and whether they reach their goals.
import { benchRuntime } from './bench/runtime.ts';
import { BENCH_PACKAGES, ensureHostPackages } from './host-packages.ts';

// Both change what an empty node costs.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

ensureHostPackages(BENCH_PACKAGES);
benchRuntime();
