// SPDX-License-Identifier: MIT
import { ensureSysroot, shellWords, sysrootVariables } from './sysroot.ts';

process.stdout.write(`${shellWords(sysrootVariables(await ensureSysroot()))}\n`);
