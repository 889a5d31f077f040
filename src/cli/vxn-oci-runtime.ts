// SPDX-License-Identifier: MIT
// The entry point that engines call. Nothing that a verb does not need is done here.
import type { Caller } from '../host/caller.ts';
import { type Parsed, parseArguments } from './arguments.ts';
import { parseYaml } from './beside.ts';
import { Call } from './call.ts';
import { COMMANDS } from './commands.ts';
import { commandHelp, help } from './help.ts';
import { loadAll } from './lazy.ts';
import { makeContext } from './make-context.ts';
import { writeAll } from './output.ts';
import { makeLog, report } from './report.ts';
import { thisCaller } from './this-caller.ts';
import { VERSION, versionText } from './version.ts';

/** The text that --version or --help asks for, or a call without a command. */
function textOf({ command, options }: Parsed): string | undefined {
  if (options.has('version')) return versionText();
  const verb = command === undefined ? undefined : COMMANDS[command];
  if (command === undefined || verb === undefined) return help(COMMANDS);
  return options.has('help') ? commandHelp(command, verb) : undefined;
}

/** Makes one call. Gives its exit status. */
async function main(caller: Caller, argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(argv, COMMANDS);
  const text = textOf(parsed);
  if (text !== undefined) {
    writeAll(caller.fds[1], text);
    return 0;
  }
  const { command = '', globals } = parsed;
  if (globals.log !== undefined) makeLog(globals.log);
  const call = new Call(makeContext(globals, caller, VERSION, parseYaml), parsed);
  await COMMANDS[command]?.run(call);
  return call.status;
}

function run(): void {
  const caller = thisCaller();
  const argv = process.argv.slice(2);
  main(caller, argv)
    .catch((error: unknown) => report(caller, argv, error))
    .then((status) => process.exit(status));
}

// libexec/vxn-snapshot sets this while it builds a start-up snapshot. Nothing of the calling
// process may be looked at then. Asking node's v8 module instead would cost every call its loading.
const snapshot = (globalThis as { vxnSnapshot?: typeof import('node:v8').startupSnapshot }).vxnSnapshot;
if (snapshot === undefined) run();
else {
  loadAll();
  snapshot.setDeserializeMainFunction(run);
}
