// SPDX-License-Identifier: MIT
// Runs the steps. Each one is a line: its name, its result, its time. Its output goes to a file.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { User } from './host.ts';

export interface Count {
  passed: number;
  failed: number;
}

const SHOWN = 12;

/** Runs steps, and counts the ones that passed and failed. */
export class Steps {
  readonly count: Count = { passed: 0, failed: 0 };

  constructor(
    private readonly logs: string,
    private readonly user: User,
  ) {
    mkdirSync(logs, { recursive: true });
  }

  /** Runs a command as the user. Gives its output, and whether it succeeded. */
  async run(
    name: string,
    command: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv,
  ): Promise<{ ok: boolean; output: string; log: string }> {
    const log = join(this.logs, `${name.replace(/[^A-Za-z0-9_.-]+/g, '-')}.log`);
    const out = openSync(log, 'w');
    const [program = '', ...args] = [...this.user.prefix, ...command];
    const ok = await new Promise<boolean>((resolve) => {
      const child = spawn(program, args, { cwd, env, stdio: ['ignore', out, out] });
      child.on('error', () => resolve(false));
      child.on('close', (status) => resolve(status === 0));
    });
    closeSync(out);
    return { ok, output: readFileSync(log, 'utf8'), log };
  }

  /**
   * A step. It passes when the command succeeds without a warning, and its output satisfies check.
   */
  async step(
    name: string,
    command: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv,
    check: (output: string) => string | undefined = () => undefined,
  ): Promise<boolean> {
    const begin = performance.now();
    const { ok, output, log } = await this.run(name, command, cwd, env);
    const complaints = output.split('\n').filter((line) => /^(?:WARNING|ERROR):|was skipped:/.test(line));
    const wrong = check(output);
    const held = ok && complaints.length === 0 && wrong === undefined;
    this.report(name, held, (performance.now() - begin) / 1000);
    if (!held) {
      const shown = complaints.length > 0 ? complaints : output.trimEnd().split('\n').slice(-SHOWN);
      for (const line of [...shown.slice(0, SHOWN), ...(wrong === undefined ? [] : [wrong]), log]) {
        process.stdout.write(`        ${line.slice(0, 300)}\n`);
      }
    }
    return held;
  }

  report(name: string, held: boolean, seconds: number): void {
    this.count[held ? 'passed' : 'failed']++;
    process.stdout.write(
      `${held ? 'ok    ' : 'FAILED'}  ${name.padEnd(60)} ${seconds.toFixed(0).padStart(5)} s\n`,
    );
  }
}
