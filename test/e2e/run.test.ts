// SPDX-License-Identifier: MIT
// `vctr run --rm`: what a user sees of a container that is a Xen domain.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { assertClean, dom0, IMAGE, mustSh, runtime, startsClean, TIMEOUT_MS, vctrRun } from './dom0.ts';

startsClean();
before(() => dom0());
after(assertClean);

test('echo hello: the line and status 0', async () => {
  assert.deepEqual(await vctrRun('hello', ['/bin/echo', 'hello']), {
    status: 0,
    stdout: 'hello\n',
    stderr: '',
  });
});

test('the time line of a container that is gone has every phase', async () => {
  const { stdout } = await runtime('timeline', '--json', 'hello');
  const { phases } = JSON.parse(stdout) as { phases: { name: string; seconds: number }[] };
  const names = [
    'image disk',
    'xl create',
    'guest kernel',
    'agent ready',
    'program start',
    'program',
    'exit',
    'clean-up',
  ];
  assert.deepEqual(
    phases.map((p) => p.name),
    names,
  );
  for (const { name, seconds } of phases) assert.ok(seconds >= 0 && seconds < 120, `${name}: ${seconds}`);
});

// By itself: how soon a line comes is measured.
test('each line arrives within a second of being written', async () => {
  const lab = await dom0();
  const seen: { at: number; written: number }[] = [];
  const script = 'for i in 1 2 3; do cut -d" " -f1 /proc/uptime; sleep 1; done';
  const result = await lab.exec(['vctr', 'run', '--rm', IMAGE, 'lines', '/bin/sh', '-c', script], {
    timeoutMs: TIMEOUT_MS,
    onStdout: (chunk) => {
      for (const line of chunk.toString().trim().split('\n'))
        seen.push({ at: performance.now() / 1000, written: Number(line) });
    },
  });
  assert.equal(result.status, 0);
  assert.equal(seen.length, 3);
  const [first] = seen;
  assert.ok(first);
  for (const { at, written } of seen) {
    const late = at - first.at - (written - first.written);
    assert.ok(Math.abs(late) < 1, `late by ${late} s`);
  }
});

/** A static x86-64 program whose only instruction is an invalid one. */
function faultingElf(): Buffer {
  const elf = Buffer.alloc(64 + 56 + 2);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16); // ET_EXEC
  elf.writeUInt16LE(62, 18); // EM_X86_64
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(0x400078n, 24); // entry
  elf.writeBigUInt64LE(64n, 32); // program headers
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64); // PT_LOAD
  elf.writeUInt32LE(5, 68); // read, execute
  elf.writeBigUInt64LE(0x400000n, 80);
  elf.writeBigUInt64LE(BigInt(elf.length), 96);
  elf.writeBigUInt64LE(BigInt(elf.length), 104);
  elf.writeBigUInt64LE(0x1000n, 112);
  elf.writeUInt16BE(0x0f0b, 120); // ud2
  return elf;
}

suite('side by side', { concurrency: 3 }, () => {
  test('arguments, environment, working directory and user arrive unchanged; stdout, stderr and status are apart; the kernel is its own', async () => {
    const words = [
      'two words',
      `'single' "double" \`back\``,
      'line\nbreak',
      '$HOME $(id)',
      '100%s %d',
      '',
      'ünïcødé 日本語 🚀',
      '\\n\\',
      '-x',
      '*',
    ];
    const script =
      'for w; do printf "%s\\0" "$w"; done; printf "%s|%s|%s\\0" "$TRICKY" "$(pwd)" "$(id -u):$(id -g)"; cat /proc/sys/kernel/random/boot_id; echo err >&2; exit 7';
    const flags = ['--env', 'TRICKY=a b\'c"d$e', '--cwd', '/var', '--user', '1000:1000'];
    const result = await vctrRun('words', ['/bin/sh', '-c', script, 'sh', ...words], flags);
    assert.equal(result.stderr, 'err\n');
    assert.equal(result.status, 7);
    const parts = result.stdout.split('\0');
    assert.deepEqual(parts.slice(0, -2), words);
    assert.equal(parts.at(-2), 'a b\'c"d$e|/var|1000:1000');
    assert.match(parts.at(-1) ?? '', /^[0-9a-f-]{36}\n$/);
    assert.notEqual(parts.at(-1), await mustSh('cat /proc/sys/kernel/random/boot_id'));
  });

  test('16 MiB of random bytes go in and come out intact, and end of file arrives', async () => {
    const lab = await dom0();
    const data = randomBytes(16 << 20);
    const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
    const stdin = new PassThrough();
    // Input begins when the program is there: ctr itself loses an end of file that comes earlier.
    const script = 'echo ready >&2; md5sum >&2; head -c 16777216 /dev/urandom >/r; md5sum </r >&2; cat /r';
    const result = await lab.exec(['vctr', 'run', '--rm', IMAGE, 'bytes', '/bin/sh', '-c', script], {
      stdin,
      timeoutMs: TIMEOUT_MS,
      onStderr: (chunk) => {
        if (chunk.toString().startsWith('ready')) stdin.end(data);
      },
    });
    assert.equal(result.status, 0, result.stderr.toString());
    assert.equal(result.stdout.length, 16 << 20);
    assert.equal(result.stderr.toString(), `ready\n${md5(data)}  -\n${md5(result.stdout)}  -\n`);
  });

  test('a program killed by a signal gives 128 + its number', async () => {
    // A fault of its own: the first process of a PID namespace ignores what it sends itself.
    const script = `echo ${faultingElf().toString('base64')} | base64 -d >/f; chmod +x /f; exec /f`;
    assert.equal((await vctrRun('fault', ['/bin/sh', '-c', script])).status, 128 + 4);
  });

  test('a missing program, and one that may not be executed, are named', async () => {
    const missing = await vctrRun('missing', ['/bin/nosuch']);
    assert.notEqual(missing.status, 0);
    assert.match(missing.stderr, /no such file or directory/);
    const inPath = await vctrRun('missing2', ['nosuch']);
    assert.match(inPath.stderr, /executable file not found in \$PATH/);
    const forbidden = await vctrRun('forbidden', ['/etc/not-executable']);
    assert.notEqual(forbidden.status, 0);
    assert.match(forbidden.stderr, /permission denied/);
  });

  test('an ordinary container of runc runs beside it', async () => {
    const script = `
    vctr run -d $IMAGE xen /bin/sleep 600 &&
    ctr run --rm --runtime io.containerd.runc.v2 $IMAGE plain /bin/sh -c 'cat /proc/sys/kernel/random/boot_id' &&
    cat /proc/sys/kernel/random/boot_id
    vctr task kill -s SIGKILL xen && ctr task rm -f xen; ctr c rm xen`;
    const [inside, outside] = (await mustSh(script)).split('\n');
    assert.equal(inside, outside);
  });
});
