// SPDX-License-Identifier: MIT
// vxn-config: makes every file of a target from one description. People, CI and the recipe call it.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

/** The bundler sets it. In the source tree it is that of package.json. */
function version(): string {
  if (typeof VXN_VERSION === 'string') return VXN_VERSION;
  const text = readFileSync(join(dirname(SCRIPT), '../../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const EXIT = { DIFFERS: 1, INVALID: 2, FAILED: 3 } as const;

const program = new Command('vxn-config')
  .description('Makes every file of a vxn target from one description.')
  .version(version(), '-v, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .option('--templates <dir>', 'folder of templates and targets, instead of the installed one')
  .showHelpAfterError('(see vxn-config --help)')
  .exitOverride()
  .addHelpText(
    'before',
    `Examples:
  vxn-config list                                          list the targets
  vxn-config generate --target qemux86-64 --out image      write its files below image/
  vxn-config generate --target board.yaml --set containerd.version=1.7 --dry-run
`,
  )
  .addHelpText(
    'after',
    `
Exit status: 0 success, 1 differences (check, diff), 2 wrong description or command line, 3 failure.`,
  );

function context(): Context {
  const { templates } = program.opts<{ templates?: string }>();
  return {
    templates: templates === undefined ? findTemplates(SCRIPT) : resolve(templates),
    version: version(),
    get cwd() {
      return process.cwd();
    },
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

/** The exit status of a command that compares. */
function differs(isSame: boolean): void {
  if (!isSame) process.exitCode = EXIT.DIFFERS;
}

targetCommand('generate', 'write the files of a target below a folder, which stands for its root')
  .option('-o, --out <dir>', 'the folder')
  .option('--runtime <file>', 'also write the runtime, from this bundle, with the paths of the target')
  .option('--dry-run', 'write nothing')
  .option('--json', 'print paths, modes and hashes as JSON')
  .action((options) => {
    if (options.out === undefined && options.dryRun !== true)
      throw new VxnError('USAGE', 'generate needs --out DIR, or --dry-run');
    generate(context(), options);
  });

targetCommand('install', 'install the files of a target into a system, and keep those of other packages')
  .option('--root <dir>', 'the root of the system, if it is an image', '/')
  .option('--runtime <file>', 'also install the runtime, from this bundle, with the paths of the target')
  .option('--force', 'replace files that were changed, and settings that were there before')
  .option('--dry-run', 'change nothing')
  .option('--json', 'print what was done as JSON')
  .action((options) => install(context(), options));

program
  .command('uninstall')
  .description('undo install: restore every file')
  .option('--root <dir>', 'the root of the system, if it is an image', '/')
  .option('--force', 'also undo files that were changed since, and keep a copy of them')
  .option('--dry-run', 'change nothing')
  .option('--json', 'print what was done as JSON')
  .action((options) => uninstall(context(), options));

targetCommand('check', 'list the differences between a folder and a target; exit status 1 when there are any')
  .argument('<dir>', 'an image, a folder of generate, or /')
  .option('--json', 'as JSON')
  .action((folder, options) => differs(check(context(), folder, options)));

targetCommand('diff', 'print the changes that turn a folder, or another target, into the target')
  .argument('[dir]', 'an image, a folder of generate, or /')
  .option('--against <name|file>', 'another target')
  .action((folder, options) => differs(diff(context(), folder, options)));

program
  .command('show')
  .description('print a target with all inherited values, and the origin of each value')
  .argument('<target>', 'a target of `vxn-config list`, or a description')
  .option('-s, --set <key=value>', 'change one value of the description; may be repeated', collect)
  .option('--json', 'as JSON')
  .action((target, options) => show(context(), { ...options, target }));

program
  .command('init')
  .description('write a description, from options or from your answers')
  .argument('[file]', 'the description', 'target.yaml')
  .option('--extends <name|file>', 'the description to start from')
  .option('--architecture <name>', 'x86_64 or aarch64')
  .option('--guest-type <type>', 'pv or pvh')
  .option('--engines <list>', 'names, separated by commas')
  .option('--containerd <generation>', 'such as 1.7')
  .option('--memory <MiB>', 'of a container without a memory limit')
  .option('-y, --yes', 'ask nothing: values without an option are those of this machine')
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

/** Asks at the terminal, on stderr, because stdout is for the command's own output. */
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
  // Commander has printed it already.
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
