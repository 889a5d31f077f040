// SPDX-License-Identifier: MIT
import type { Command } from './arguments.ts';

type Commands = Readonly<Record<string, Command>>;

/** The text of --help. */
export function help(commands: Commands): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, c]) => `  ${name.padEnd(width)}  ${c.summary}\n`);
  return `Runs OCI containers as Xen domains.

Usage: vxn-oci-runtime [--root DIR] [--log FILE] [--log-format text|json] COMMAND [OPTIONS] [ARGUMENTS]

Examples:
  vxn-oci-runtime list                    list the containers
  vxn-oci-runtime logs --console ID       show why a guest did not boot
  vxn-oci-runtime timeline ID             show where the time goes
  vxn-oci-runtime doctor                  check whether this Dom0 can run containers
Each engine has a root of its own. containerd's is --root /run/containerd/runc/NAMESPACE.

Commands:
${lines.join('')}
  COMMAND --help shows the options of a command. -v, --version prints the version.
`;
}

const FORMS = { flag: '', value: ' VALUE', list: ' VALUE ...' };

/** The text of COMMAND --help. */
export function commandHelp(name: string, { summary, args, options }: Command): string {
  const lines = Object.entries(options).map(([option, kind]) => `  --${option}${FORMS[kind]}\n`);
  const list = lines.length > 0 ? `\nOptions:\n${lines.join('')}` : '';
  return `Usage: vxn-oci-runtime ${name} [OPTIONS] ${args.join(' ')}\n\n${summary}\n${list}`;
}
