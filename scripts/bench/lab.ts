// SPDX-License-Identifier: MIT
// The part of the benchmark that needs a real Xen. The machine is emulated, so only ratios and
// goals mean anything.
import { deploy } from '../../lab/deploy.ts';
import { ensureLab, type Lab } from '../../lab/lab.ts';
import { type Phase, phasesOf, type Stamp } from '../../src/container/phases.ts';
import { goal, say, seconds, sh } from './dom0.ts';
import { median } from './measure.ts';

const ROUNDS = 5;
const STREAM_MIB = 128;
const CROWD = 20;

async function timelineOf(lab: Lab, id: string): Promise<Stamp[]> {
  const text = await sh(lab, `vxn-oci-runtime --root $ROOT timeline --json ${id}`);
  const { stamps } = JSON.parse(text) as { stamps: { ns: string; phase: string }[] };
  return stamps.map(({ ns, phase }) => ({ ns: BigInt(ns), phase }));
}

async function benchRun(lab: Lab): Promise<void> {
  say(`\nvctr run --rm IMAGE ID /bin/true, ${ROUNDS} rounds in turn with runc`);
  const [vxn, runc, node]: [number[], number[], number[]] = [[], [], []];
  const phases = new Map<string, number[]>();
  for (let i = 0; i < ROUNDS; i++) {
    vxn.push(await seconds(lab, `vctr run --rm $IMAGE bench${i} /bin/true`));
    runc.push(await seconds(lab, `ctr run --rm $IMAGE bench-runc${i} /bin/true`));
    node.push(await seconds(lab, 'node -e 0'));
    for (const { name, seconds: took } of phasesOf(await timelineOf(lab, `bench${i}`)) as Phase[]) {
      phases.set(name, [...(phases.get(name) ?? []), took]);
    }
  }
  for (const [name, took] of phases) say(`    ${name.padEnd(16)}${median(took).toFixed(2).padStart(8)} s`);
  say(
    `  runc: ${median(runc).toFixed(2)} s, an empty node: ${median(node).toFixed(2)} s, ratio to runc: ${(median(vxn) / median(runc)).toFixed(2)}`,
  );
  goal('vctr run --rm, end to end', median(vxn), 's', 16);
}

async function benchStream(lab: Lab): Promise<void> {
  const bytes = STREAM_MIB << 20;
  // This is not the head of busybox, which passes on byte by byte and takes longer than all the
  // rest.
  await sh(
    lab,
    `vctr run --rm $IMAGE stream /bin/sh -c 'dd if=/dev/zero bs=64k count=${bytes >> 16} 2>/dev/null' >/dev/null`,
  );
  const stamps = await timelineOf(lab, 'stream');
  const at = (phase: string): number => Number(stamps.find((s) => s.phase === phase)?.ns ?? 0n) / 1e9;
  goal(
    `stdout, ${STREAM_MIB} MiB through the stock shim and ctr`,
    bytes / 1e6 / (at('program.exit') - at('program.start')),
    'MB/s',
    20,
    false,
  );
}

/** The KiB of Dom0's memory that our processes of a running container take. */
async function benchMemory(lab: Lab): Promise<void> {
  await sh(lab, 'vctr run -d $IMAGE rest /bin/sleep 3600');
  const pss = await sh(
    lab,
    `for p in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in vxn-monitor* | */vxn-monitor* | xl\\ * | */xl\\ *) awk '/^Pss:/ { print $2 }' $p/smaps_rollup ;; esac; done`,
  );
  const kib = pss
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  const killed = await seconds(lab, 'vxn-oci-runtime --root $ROOT kill rest KILL');
  const node = median([
    await seconds(lab, 'node -e 0'),
    await seconds(lab, 'node -e 0'),
    await seconds(lab, 'node -e 0'),
  ]);
  await sh(
    lab,
    "until ctr task ls | grep -q 'rest .*STOPPED'; do sleep 0.2; done; ctr task rm rest; ctr c rm rest",
  );
  goal('Dom0 memory (PSS) of a running container', kib / 1024, 'MB', 1.5);
  goal('kill -9, as a ratio to an empty node start', killed / node, '', 1.3);
}

/** The cost of many running containers for Dom0. The memory of their guests is Xen's. */
async function benchCrowd(lab: Lab): Promise<void> {
  const pss = `for p in $(pgrep -x "$NAME"); do awk '/^Pss:/ { print $2 }' /proc/$p/smaps_rollup; done | awk '{ s += $1 } END { print s / 1024 }'`;
  const figures = async (): Promise<Record<'available' | 'monitors' | 'shims' | 'cpu', number>> => {
    const out = await sh(
      lab,
      `awk '/^MemAvailable:/ { print $2 / 1024 }' /proc/meminfo
      NAME=vxn-monitor; ${pss}; NAME=containerd-shim; ${pss}
      t() { awk '{ s += $14 + $15 } END { print s }' $(pgrep -x vxn-monitor | sed 's,.*,/proc/&/stat,') /dev/null; }
      a=$(t); sleep 10; b=$(t); echo "$(( \${b:-0} - \${a:-0} ))"`,
    );
    const [available = 0, monitors = 0, shims = 0, cpu = 0] = out.trim().split('\n').map(Number);
    return { available, monitors, shims, cpu };
  };
  say(`\n${CROWD} running containers`);
  const before = await figures();
  await sh(
    lab,
    `for i in $(seq ${CROWD}); do vctr run -d --memory-limit 33554432 $IMAGE crowd$i /bin/sleep 3600 || exit; done`,
  );
  const after = await figures();
  await sh(
    lab,
    `for i in $(seq ${CROWD}); do vxn-oci-runtime --root $ROOT kill crowd$i KILL; done
    until ! ctr task ls | grep -q 'crowd.*RUNNING'; do sleep 0.5; done
    for i in $(seq ${CROWD}); do ctr task rm crowd$i; ctr c rm crowd$i; done 2>/dev/null`,
  );
  const row = (name: string, value: number, unit: string): void =>
    say(`  ${name.padEnd(52)}${value.toFixed(2).padStart(9)} ${unit}`);
  row('monitors together (PSS)', after.monitors, 'MB');
  row('stock shims together (PSS)', after.shims - before.shims, 'MB');
  row("less memory available in Dom0, engine's part included", before.available - after.available, 'MB');
  row('processor time of the monitors at rest, of 10 s', after.cpu / 100, 's');
}

/** The seconds and memory of execs by the runtime itself. ctr and containerd would come on top. */
async function benchExec(lab: Lab): Promise<void> {
  await sh(lab, 'vctr run -d $IMAGE execs /bin/sleep 3600');
  const [exec, detached, node]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < ROUNDS; i++) {
    exec.push(await seconds(lab, 'vxn-oci-runtime --root $ROOT exec execs /bin/true'));
    detached.push(await seconds(lab, 'vxn-oci-runtime --root $ROOT exec --detach execs /bin/true'));
    node.push(await seconds(lab, 'node -e 0'));
  }
  const pss = await sh(
    lab,
    `for i in 1 2 3 4 5; do vxn-oci-runtime --root $ROOT exec --detach execs /bin/sleep 3600 </dev/null >/dev/null 2>&1; done
    for p in $(pgrep -x vxn-exec); do awk '/^Pss:/ { s += $2 } END { print s }' /proc/$p/smaps_rollup; done`,
  );
  await sh(
    lab,
    "vxn-oci-runtime --root $ROOT kill execs KILL; until ctr task ls | grep -q 'execs .*STOPPED'; do sleep 0.2; done; ctr task rm execs; ctr c rm execs",
  );
  say(`\nexec, ${ROUNDS} rounds in turn with an empty node: ${median(node).toFixed(2)} s`);
  say(`  exec ID /bin/true, to its end: ${median(exec).toFixed(2)} s`);
  goal('exec --detach, as a ratio to an empty node start', median(detached) / median(node), '', 2);
  say(`  memory (PSS) of an exec's monitor: ${median(pss.trim().split('\n').map(Number))} KiB`);
}

/** Boots the lab if necessary, and measures vxn in it. */
export async function benchLab(): Promise<void> {
  const lab = await ensureLab({ report: say });
  await deploy(lab, say);
  await benchRun(lab);
  await benchStream(lab);
  await benchMemory(lab);
  await benchExec(lab);
  await benchCrowd(lab);
}
