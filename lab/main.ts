// SPDX-License-Identifier: MIT
import { createReadStream } from 'node:fs';
import { Command } from 'commander';
import { deploy } from './deploy.ts';
import { startEngines } from './engines.ts';
import { exists } from './exists.ts';
import { currentLab, ensureLab, type Lab, LabError } from './lab.ts';
import { currentMachine, MACHINE_FILES, stopMachine } from './machine.ts';
import { passThrough } from './pass-through.ts';
import { ensureSysroot, shellWords, sysrootVariables } from './sysroot.ts';

const program = new Command('lab')
  .description('A real Xen with a Debian Dom0 under QEMU.')
  .enablePositionalOptions()
  .showHelpAfterError('(see --help)')
  .showSuggestionAfterError();

program
  .command('up')
  .description(
    'build what is missing, boot, install vxn, start the engines with the test image; quick when up',
  )
  .option('--bare', 'boot only: neither vxn nor docker nor images')
  .action(async ({ bare }: { bare?: boolean }) => {
    const begin = performance.now();
    const report = phases();
    const lab = await ensureLab({ report });
    if (!bare) {
      await deploy(lab, report);
      await startEngines(lab, report);
    }
    endPhase();
    const { pid, startedAt } = lab.machine;
    say(`up after ${seconds(begin)} (QEMU is process ${pid}, started ${startedAt})`);
  });

program
  .command('exec')
  .description('run a command in Dom0, with stdin, stdout, stderr and exit status passed through')
  .usage('[options] -- CMD [ARGS...]')
  .argument('<cmd>')
  .argument('[args...]')
  .option('-C, --cwd <directory>', 'working directory in Dom0')
  .option('-e, --env <NAME=VALUE>', 'environment variable to add; may be repeated', collectEnv, {})
  .passThroughOptions()
  .action(async (cmd: string, args: string[], options: { cwd?: string; env: Record<string, string> }) => {
    process.exitCode = await passThrough(await needLab(), [cmd, ...args], options);
    process.stdin.destroy();
  });

program
  .command('push')
  .description('copy a file, or the content of a directory, into Dom0')
  .argument('<host-path>')
  .argument('<dom0-path>')
  .action(async (host: string, dom0: string) => (await needLab()).push(host, dom0));

program
  .command('pull')
  .description('copy a file, or the content of a directory, out of Dom0')
  .argument('<dom0-path>')
  .argument('<host-path>')
  .action(async (dom0: string, host: string) => (await needLab()).pull(dom0, host));

program
  .command('status')
  .description('say whether the lab is up (status 0) or down (status 3)')
  .action(async () => {
    const machine = await currentMachine();
    if (machine && !machine.ready) return say('booting');
    if (machine) return say(`up (QEMU is process ${machine.pid}, started ${machine.startedAt})`);
    say('down');
    process.exitCode = 3;
  });

program
  .command('down')
  .description('stop the machine; everything done in it is thrown away')
  .action(async () => {
    const machine = await currentMachine();
    if (machine) await stopMachine(machine);
    say('down');
  });

program
  .command('console')
  .description('print what Xen and Dom0 wrote to the serial console')
  .action(async () => {
    if (!(await exists(MACHINE_FILES.serial))) throw new LabError('the lab was never up');
    createReadStream(MACHINE_FILES.serial).pipe(process.stdout);
  });

program
  .command('sysroot')
  .description(
    "make the sysroot of Dom0's libraries; print the variables for `make -C native` as shell words",
  )
  .action(async () => {
    process.stdout.write(`${shellWords(sysrootVariables(await ensureSysroot()))}\n`);
  });

program
  .command('guest')
  .description("make the guest's kernel and module files under .lab/guest")
  .action(async () => {
    const { ensureImage } = await import('./image.ts');
    const { ensureGuestKernel } = await import('./guest.ts');
    const image = await ensureImage(phases());
    const kernel = await ensureGuestKernel(image);
    endPhase();
    say(JSON.stringify(kernel, null, 2));
  });

async function needLab(): Promise<Lab> {
  const lab = await currentLab();
  if (!lab) throw new LabError('the lab is down; boot it with: npm run lab -- up');
  return lab;
}

let endPhase = () => {};

/** Reports each phase with its seconds. */
function phases(): (phase: string) => void {
  return (phase) => {
    endPhase();
    const begin = performance.now();
    process.stderr.write(`${phase} ... `);
    endPhase = () => {
      process.stderr.write(`${seconds(begin)}\n`);
      endPhase = () => {};
    };
  };
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function collectEnv(word: string, env: Record<string, string>): Record<string, string> {
  const at = word.indexOf('=');
  if (at < 1) throw new LabError(`--env ${word}: expected NAME=VALUE`);
  return { ...env, [word.slice(0, at)]: word.slice(at + 1) };
}

try {
  await program.parseAsync();
} catch (error) {
  endPhase();
  const known = error instanceof LabError || process.env.VXN_LAB_DEBUG === undefined;
  process.stderr.write(`lab: ${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 125;
}
