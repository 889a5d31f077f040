// SPDX-License-Identifier: MIT
// What docker and podman have in common: the same commands, the same expectations, in as few containers as they fit in.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assertClean, dom0Sh, IMAGE, mustSh, type Outcome } from './dom0.ts';

export interface Engine {
  /** The command, with what chooses our runtime after `run`. */
  name: 'docker' | 'podman';
  run: string;
  /** Statuses of `run` when the program is not there, or cannot be executed. */
  notFound: number;
  notExecutable: number;
  /** Of `exec`, when the program is not there. */
  execNotFound: number;
}

const RICH = `
echo "args=[$1][$2]"; echo "env=$GREETING"; pwd; id -u; id -g; hostname; nproc
awk '/MemTotal/ { print "mib=" int($2 / 1024) }' /proc/meminfo
awk '/^Seccomp:/ { print "seccomp=" $2 }' /proc/self/status
touch /nope 2>/dev/null || echo root=read-only
touch /scratch/x && echo scratch=writable
touch /dev/shm/x && echo shm=writable
cat /note; ls /sys/class/net | tr '\\n' ' '; echo; echo err >&2; exit 7`;

// docker warns of a kernel without accounting of swap.
const ofProgram = (stderr: string): string => stderr.replaceAll(/^WARNING: .*\n/gm, '');
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Removes what a test that failed has left in an engine. */
export async function removeContainers(name: Engine['name']): Promise<void> {
  await dom0Sh(`ids=$(${name} ps -aq); [ -z "$ids" ] || ${name} rm -f $ids`);
}

/** Declares the engine's tests. */
export function engineTests({ name, run, notFound, notExecutable, execNotFound }: Engine): void {
  const engine = (script: string): Promise<Outcome> => dom0Sh(script.replaceAll('ENGINE', name));
  const must = (script: string): Promise<string> => mustSh(script.replaceAll('ENGINE', name));

  suite('side by side', { concurrency: 2 }, () => {
    test(`${name} run: arguments, environment, folder, user, host name, limits, root and mounts, status`, async () => {
      const flags = [
        '--rm --network none -w /tmp -u 1000:1001 --hostname box --memory 128m --cpus 1 --read-only',
        '--tmpfs /scratch:mode=1777 -v /etc/vxn-note:/note:ro -e GREETING="good day"',
      ].join(' ');
      await must('echo hello from Dom0 >/etc/vxn-note');
      const { status, stdout, stderr } = await engine(
        `${run} ${flags} ${IMAGE} sh -c ${quote(RICH)} sh 'a  b' '$c "d"'`,
      );
      assert.equal(ofProgram(stderr), 'err\n');
      const lines = stdout.split('\n');
      assert.deepEqual(lines.slice(0, 7), [
        'args=[a  b][$c "d"]',
        'env=good day',
        '/tmp',
        '1000',
        '1001',
        'box',
        '1',
      ]);
      const mib = Number(/^mib=(\d+)$/m.exec(stdout)?.[1]);
      assert.ok(mib >= 128 && mib < 128 + 96, `MemTotal of ${mib} MiB`);
      // The engine's own profile, which is also the proof that programs work under it.
      assert.deepEqual(lines.slice(8), [
        'seccomp=2',
        'root=read-only',
        'scratch=writable',
        'shm=writable',
        'hello from Dom0',
        'lo ',
        '',
      ]);
      assert.equal(status, 7);
    });

    test(`${name} run -d, logs, exec, exec -it, top, stop, wait, rm`, async () => {
      const program = 'trap "echo bye; exit 5" TERM; echo up; touch /up; while :; do sleep 0.1; done';
      await must(`${run} -d --name one --network none ${IMAGE} sh -c ${quote(program)}`);
      const script = `
      ENGINE exec one sh -c 'until [ -e /up ]; do usleep 100000; done; echo in; echo aside >&2; exit 3'; echo "status=$?"
      echo from-stdin | ENGINE exec -i one cat
      ENGINE exec -e K="v w" -w /tmp -u 1000 one sh -c 'echo "$K $(pwd) $(id -u)"'
      script -qec "stty rows 33 cols 99; ENGINE exec -it one sh -c 'stty size; tty; exit 4'" /dev/null </dev/null; echo "tty=$?"
      ENGINE exec one /no/such; echo "missing=$?"
      ENGINE exec one /etc/not-executable; echo "refused=$?"
      ENGINE top one 2>&1 | grep -c .
      before=$(date +%s); ENGINE stop -t 60 one >/dev/null; after=$(date +%s)
      echo "stopped in $((after - before)) s"
      ENGINE wait one; ENGINE logs one; ENGINE rm one >/dev/null; echo "rm=$?"`;
      const { stdout, stderr } = await engine(script);
      // script(1) shows the end of its input.
      const text = stdout.replaceAll('\r', '').replaceAll(/\^[@D]/g, '');
      assert.match(text, /^in\nstatus=3\nfrom-stdin\nv w \/tmp 1000\n33 99\n\/dev\/\S+\ntty=4\n/);
      assert.match(text, new RegExp(`^missing=${execNotFound}$`, 'm'));
      assert.match(text, /^refused=126$/m);
      assert.match(stderr, /^aside$/m);
      assert.ok(Number(/^stopped in (\d+) s$/m.exec(text)?.[1]) < 30, text);
      assert.match(text, /\n5\nup\nbye\nrm=0\n$/);
    });

    test(`${name} kill and rm -f; a program that is not there or cannot be executed`, async () => {
      const script = `
      ${run} -d --name two --network none ${IMAGE} sleep 1000 >/dev/null & ${run} -d --name three --network none ${IMAGE} sleep 1000 >/dev/null & wait
      ENGINE kill two >/dev/null; ENGINE wait two; ENGINE rm two >/dev/null
      ENGINE rm -f three >/dev/null; echo "rm=$?"
      ${run} --rm --network none ${IMAGE} /no/such; echo "missing=$?"
      ${run} --rm --network none ${IMAGE} /etc/not-executable; echo "refused=$?"`;
      const { stdout } = await engine(script);
      assert.equal(stdout, `137\nrm=0\nmissing=${notFound}\nrefused=${notExecutable}\n`);
    });
  });

  test(`${name} has nothing left, nor have we`, async () => {
    assert.equal(await must('ENGINE ps -aq'), '');
    await assertClean();
  });
}
