// SPDX-License-Identifier: MIT
// node --import tsx scripts/lint-order.ts [FOLDER]: checks this repository, or the one in FOLDER.
// It prints each place that breaks the order of the folders, and exits with 1 if there is one.
import { join, resolve } from 'node:path';
import { lintOrder } from './lint-order/lint.ts';

const [folder = join(import.meta.dirname, '..')] = process.argv.slice(2);
const findings = lintOrder(resolve(folder));
process.stdout.write(findings.map((finding) => `${finding}\n`).join(''));
if (findings.length > 0) process.exitCode = 1;
