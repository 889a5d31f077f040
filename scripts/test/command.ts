// SPDX-License-Identifier: MIT
import { type ChildProcess, spawn } from 'node:child_process';
import { type Count, FAIL, PASS } from './count.ts';
import { ROOT } from './files.ts';
import { lines, type Screen } from './screen.ts';

export interface Ended {
  /** The exit status. null when the command could not be started, or was killed. */
  status: number | null;
  output: string;
}

export interface CommandOptions {
  /** Shows the output as it arrives. Without it the output is not shown. */
  screen?: Screen | undefined;
  /** The text before each shown line. It tells commands apart that print at the same time. */
  prefix?: string;
  /** Gets the messages that the command sends with process.send(). */
  onMessage?: (message: unknown) => void;
  env?: NodeJS.ProcessEnv;
}

function start(command: string, args: readonly string[], { onMessage, env }: CommandOptions): ChildProcess {
  const stdio = ['ignore', 'pipe', 'pipe', ...(onMessage ? (['ipc'] as const) : [])] as const;
  const child = spawn(command, args, { cwd: ROOT, stdio: [...stdio], env: { ...process.env, ...env } });
  if (onMessage) child.on('message', onMessage);
  return child;
}

/** Runs a command without stdin, to its end. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const { screen, prefix = '' } = options;
  return new Promise((resolve) => {
    const child = start(command, args, options);
    const shown = lines(prefix, (text) => screen?.print(text));
    let output = '';
    for (const pipe of [child.stdout, child.stderr]) {
      pipe?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        shown.add(chunk);
      });
    }
    child.on('error', (error) => resolve({ status: null, output: `${command}: ${error.message}\n` }));
    child.on('close', (status) => {
      shown.end();
      resolve({ status, output });
    });
  });
}

/** Runs a check. Prints its name and result, and its output only when it failed. */
export async function check(
  screen: Screen,
  name: string,
  command: string,
  args: readonly string[],
): Promise<Count> {
  const { status, output } = await run(command, args);
  screen.print(`${status === 0 ? 'ok' : 'FAILED'}  ${name}`);
  if (status !== 0) screen.print(output);
  return status === 0 ? PASS : FAIL;
}
