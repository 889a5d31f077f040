// SPDX-License-Identifier: MIT
// The cost of an exec: the real runtime, monitor and agent, with a fake domain. It needs root.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Control } from '../../src/channel/control.ts';
import { describeProcess } from '../../src/channel/description.ts';
import { encodeDescription, Type } from '../../src/channel/protocol.ts';
import { parseProcess } from '../../src/spec/spec.ts';
import { Host, STATE_ROOT } from '../../test/fixtures/host.ts';
import { processJson } from '../../test/fixtures/spec.ts';
import { type Case, measure, median } from './measure.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROUNDS = 40;
const ROUND_TRIPS = 200;
const CROWD = 20;
const EXECS = 1000;
const AT_ONCE = 4;
const GOAL = 2;
const ID = 'bench';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const line = (name: string, value: string, verdict = ''): void =>
  say(`${name.padEnd(52)}${value.padStart(12)}${verdict}`);

function goal(name: string, value: number, unit: string, limit: number): boolean {
  const met = value <= limit;
  line(name, `${value.toFixed(2)} ${unit}`, `  goal <= ${limit}: ${met ? 'met' : 'MISSED'}`);
  return met;
}

/** The KiB of a process. PSS divides memory that is mapped several times, and RSS does not. */
function memory(pid: number, field: 'Rss' | 'Pss'): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/**
 * The milliseconds from a PROCESS frame to its STARTED. Only the monitor and the guest work in this
 * time.
 */
async function roundTrip(host: Host): Promise<number> {
  const control = await Control.open(host.domainPlaces(ID).control);
  if (control === undefined) throw new Error('nobody listens at the control socket');
  const process = describeProcess(parseProcess(processJson()), false, undefined);
  const times: number[] = [];
  for (let id = 2; id < 2 + ROUND_TRIPS; id++) {
    const begin = performance.now();
    await control.send(encodeDescription(Type.Process, id, process));
    for (;;) {
      const frame = await control.receive(10_000);
      if (frame === undefined) throw new Error('no answer');
      if (frame.type === Type.Started) times.push(performance.now() - begin);
      if (frame.type === Type.Exit) break;
    }
  }
  control.close();
  return median(times);
}

function calls(host: Host, timer: string): Map<string, { wall: number }> {
  const env = host.env();
  const exec =
    (...words: string[]): Case['command'] =>
    () => ({
      argv: [host.runtime, '--root', STATE_ROOT, 'exec', ...words],
      options: { env },
    });
  const cases: Case[] = [
    { name: 'node -e 0', command: () => ({ argv: [process.execPath, '-e', '0'], options: { env } }) },
    { name: 'exec --detach ID true', command: exec('--detach', ID, 'true') },
    { name: 'exec ID true, to its end', command: exec(ID, 'true') },
  ];
  return measure(timer, cases, ROUNDS);
}

async function crowd(host: Host, monitor: number): Promise<void> {
  const before = memory(monitor, 'Rss');
  const execs = Array.from({ length: CROWD }, () => host.exec(ID, { process: { args: ['sleep', '1000'] } }));
  await Promise.all(execs.map((e) => e.created));
  const pids = execs.map((e) => Number(readFileSync(e.pidFile, 'utf8')));
  const pss = median(pids.map((pid) => memory(pid, 'Pss')));
  line(`memory (PSS) of an exec's monitor, of ${CROWD}`, `${pss} KiB`);
  line(
    'and in the container’s monitor (RSS)',
    `${((memory(monitor, 'Rss') - before) / CROWD).toFixed(1)} KiB`,
  );
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all(execs.map((e) => e.exit));
}

async function growth(host: Host, monitor: number): Promise<boolean> {
  const many = async (count: number): Promise<void> => {
    let left = count;
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const e = host.exec(ID, { process: { args: ['head', '-c', '100000', '/dev/zero'] } });
        if ((await e.created) !== 0 || (await e.exit) !== 0)
          throw new Error(`exec failed: ${e.text('stderr')}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  await many(EXECS / 10);
  const [rss, fds] = [memory(monitor, 'Rss'), descriptors(monitor)];
  await many(EXECS);
  const more = memory(monitor, 'Rss') - rss;
  line(`container’s monitor after ${EXECS} execs: descriptors`, `+${descriptors(monitor) - fds}`);
  return goal('memory (RSS)', more, 'KiB', 64) && descriptors(monitor) === fds;
}

/** Prints the section. Gives true when the goals are met. */
export async function benchExec(): Promise<boolean> {
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, stdio: 'ignore' });
  const host = new Host();
  try {
    const timer = join(host.folder, 'timer');
    execFileSync('gcc', ['-O2', '-o', timer, join(import.meta.dirname, 'timer.c')]);
    const container = host.create(ID, { bundle: host.script('while :; do sleep 1000; done') });
    if ((await container.created) !== 0) throw new Error(container.text('stderr'));
    const { status, stderr } = host.run(['start', ID]);
    if (status !== 0) throw new Error(stderr);
    const monitor = Number(readFileSync(container.pidFile, 'utf8'));
    say(`\n== exec: node ${process.versions.node}, medians of ${ROUNDS} rounds\n`);
    const results = calls(host, timer);
    const wall = (name: string): number => results.get(name)?.wall ?? Number.NaN;
    const trip = await roundTrip(host);
    for (const name of results.keys()) line(name, `${wall(name).toFixed(1)} ms`);
    line('guest round trip, PROCESS to STARTED', `${trip.toFixed(1)} ms`);
    const unit = wall('node -e 0') + trip;
    const quick = goal(
      'exec --detach / (node -e 0 + round trip)',
      wall('exec --detach ID true') / unit,
      '',
      GOAL,
    );
    await crowd(host, monitor);
    const flat = await growth(host, monitor);
    return quick && flat;
  } finally {
    host.remove();
  }
}
