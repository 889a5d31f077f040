// SPDX-License-Identifier: MIT
// vxn-config: every file of a target, from one description. For people, for CI and for the recipe.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { messageOf, VxnError } from '../host/errors.ts';
import { check } from '../vxn-config/commands/check.ts';
import type { Context } from '../vxn-config/commands/context.ts';
import { diff } from '../vxn-config/commands/diff.ts';
import { explain } from '../vxn-config/commands/explain.ts';
import { generate } from '../vxn-config/commands/generate.ts';
import { init } from '../vxn-config/commands/init.ts';
import { install } from '../vxn-config/commands/install.ts';
import { list } from '../vxn-config/commands/list.ts';
import { schema } from '../vxn-config/commands/schema.ts';
import { show } from '../vxn-config/commands/show.ts';
import { uninstall } from '../vxn-config/commands/uninstall.ts';
import { DescriptionError, diagnosticJson } from '../vxn-config/diagnostics.ts';
import { findTemplates } from '../vxn-config/templates.ts';

declare const VXN_VERSION: string;

const SCRIPT = process.argv[1] ?? '';

/** Set by the bundler; from the source tree it is package.json's. */
function version(): string {
  if (typeof VXN_VERSION === 'string') return VXN_VERSION;
  const text = readFileSync(join(dirname(SCRIPT), '../../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const EXIT = { DIFFERS: 1, INVALID: 2, FAILED: 3 } as const;

const program = new Command('vxn-config')
  .description('Makes every file of a vxn target from one description.')
  .version(version(), '-v, --version', 'print the version')
  .helpOption('-h, --help', 'print this')
  .option('--templates <dir>', 'templates and targets, if not those that came with vxn-config')
  .showHelpAfterError('(vxn-config --help says more)')
  .exitOverride()
  .addHelpText(
    'before',
    `Examples:
  vxn-config list                                          what there is
  vxn-config generate --target qemux86-64 --out image      its files below image/
  vxn-config generate --target board.yaml --set containerd.version=1.7 --dry-run
`,
  )
  .addHelpText(
    'after',
    `
Exit status: 0 done, 1 it differs (check, diff), 2 a wrong description or command line, 3 it could not be done.`,
  );

function context(): Context {
  const { templates } = program.opts<{ templates?: string }>();
  return {
    templates: templates ?? findTemplates(SCRIPT),
    version: version(),
    print: (text) => void process.stdout.write(text),
  };
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** A command that works on a target. */
function targetCommand(name: string, summary: string): Command {
  return program
    .command(name)
    .description(summary)
    .requiredOption('-t, --target <name|file>', 'a target of `vxn-config list`, or a description')
    .option('-s, --set <key=value>', 'change one value of the description; may be repeated', collect);
}

/** A command that compares says by its exit status how it came out. */
function differs(isSame: boolean): void {
  if (!isSame) process.exitCode = EXIT.DIFFERS;
}

targetCommand('generate', 'write the files of a target below a folder that mirrors its root')
  .option('-o, --out <dir>', 'the folder')
  .option('--runtime <file>', 'also write the runtime, from this bundle, with the paths of the target')
  .option('--dry-run', 'write nothing')
  .option('--json', 'print paths, modes and hashes as JSON')
  .action((options) => {
    if (options.out === undefined && options.dryRun !== true)
      throw new VxnError('USAGE', 'generate needs --out DIR, or --dry-run');
    generate(context(), options);
  });

targetCommand('install', "put the files of a target into a system, beside what is there of others'")
  .option('--root <dir>', 'the root of the system, if it is an image', '/')
  .option('--runtime <file>', 'also install the runtime, from this bundle, with the paths of the target')
  .option('--force', 'replace what was changed, and the settings that were there')
  .option('--dry-run', 'change nothing')
  .option('--json', 'print what was done as JSON')
  .action((options) => install(context(), options));

program
  .command('uninstall')
  .description('undo install: every file is as it was')
  .option('--root <dir>', 'the root of the system, if it is an image', '/')
  .option('--force', 'also undo what was changed since; the changed files are kept aside')
  .option('--dry-run', 'change nothing')
  .option('--json', 'print what was done as JSON')
  .action((options) => uninstall(context(), options));

targetCommand('check', 'say what differs between a folder and a target; exit status 1 when something does')
  .argument('<dir>', 'an image, a folder of generate, or /')
  .option('--json', 'as JSON')
  .action((folder, options) => differs(check(context(), folder, options)));

targetCommand('diff', 'print how a folder, or another target, would have to change to be the target')
  .argument('[dir]', 'an image, a folder of generate, or /')
  .option('--against <name|file>', 'another target')
  .action((folder, options) => differs(diff(context(), folder, options)));

program
  .command('show')
  .description('print a target with all that it inherits, and where each value comes from')
  .argument('<target>', 'a target of `vxn-config list`, or a description')
  .option('-s, --set <key=value>', 'change one value of the description; may be repeated', collect)
  .option('--json', 'as JSON')
  .action((target, options) => show(context(), { ...options, target }));

program
  .command('init')
  .description('write a description: asks what it needs, or takes it from options')
  .argument('[file]', 'the description', 'target.yaml')
  .option('--extends <name|file>', 'the description to start from')
  .option('--architecture <name>', 'x86_64 or aarch64')
  .option('--guest-type <type>', 'pv or pvh')
  .option('--engines <list>', 'with commas')
  .option('--containerd <generation>', 'such as 1.7')
  .option('--memory <MiB>', 'of a container without a memory limit')
  .option('-y, --yes', 'ask nothing: what no option gives is as this machine has it')
  .option('--force', 'replace the file')
  .action((file, options) => init(context(), file, options, ask));

program
  .command('explain')
  .description('print what a key of a description is for, or all keys')
  .argument('[key]', 'for example containerd.version')
  .option('--json', 'as JSON')
  .action((key, options) => explain(context(), key, options));

program
  .command('schema')
  .description('print the JSON Schema of a description, for editors')
  .action(() => schema(context()));

program
  .command('list')
  .description('print the targets that come with vxn')
  .option('--json', 'as JSON')
  .action((options) => list(context(), options));

/** Asks at the terminal, on stderr: stdout is for what a command has to say. */
async function ask(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

const asJson = (errors: readonly object[]): string => `${JSON.stringify({ errors }, null, 2)}\n`;

/** Reports an error on stderr; the exit status. */
function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.INVALID;
  const wantsJson = process.argv.includes('--json');
  if (error instanceof DescriptionError) {
    const { diagnostics, message } = error;
    process.stderr.write(wantsJson ? asJson(diagnostics.map(diagnosticJson)) : `${message}\n`);
    return error.isConflict ? EXIT.FAILED : EXIT.INVALID;
  }
  const known = error instanceof VxnError ? error : new VxnError('HOST', messageOf(error), { cause: error });
  const { code, message, hint, line } = known;
  process.stderr.write(wantsJson ? asJson([{ code, message, hint }]) : `vxn-config: ${line} [${code}]\n`);
  return code === 'USAGE' ? EXIT.INVALID : EXIT.FAILED;
}

program.parseAsync().catch((error: unknown) => {
  process.exitCode = report(error);
});
