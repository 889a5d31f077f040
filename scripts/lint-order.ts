// SPDX-License-Identifier: MIT
// node --import tsx scripts/lint-order.ts [FOLDER]: prints where this repository, or the one in
// FOLDER, breaks the order of its folders, and exits 1 if it does.
import { join, resolve } from 'node:path';
import { lintOrder } from './lint-order/lint.ts';

const [folder = join(import.meta.dirname, '..')] = process.argv.slice(2);
const findings = lintOrder(resolve(folder));
process.stdout.write(findings.map((finding) => `${finding}\n`).join(''));
if (findings.length > 0) process.exitCode = 1;
