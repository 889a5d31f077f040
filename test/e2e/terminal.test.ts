// SPDX-License-Identifier: MIT
// Terminals under the stock containerd: ctr is the person's side, the guest's shell the other.
import { after, before, suite, test } from 'node:test';
import type { Terminal } from '../fixtures/terminal.ts';
import { assertClean, dom0, IMAGE, mustSh, startsClean, waitFor } from './dom0.ts';
import { person } from './terminal.ts';

startsClean();
before(() => dom0());
after(assertClean);

const PROMPT = /\/ # /;

/** Types a command line into a shell and waits for a line that it writes. */
async function ask(terminal: Terminal, line: string, answer: RegExp): Promise<void> {
  terminal.clear();
  terminal.type(`${line}\r`);
  await terminal.sees(answer);
  await terminal.sees(new RegExp(`${answer.source}[^]*/ # `, answer.flags));
}

/** A program of the guest's in the foreground gets ^C, the shell goes on. */
async function interrupt(terminal: Terminal): Promise<void> {
  terminal.clear();
  terminal.type("sh -c 'echo go; exec sleep 1000'\r");
  await terminal.sees(/^go\r$/m);
  terminal.type('\x03');
  // With runc, too, ctr's own terminal puts a CR in front of the LF that comes with one already.
  await terminal.sees(/\^C\r+\n\/ # /);
}

suite('side by side', { concurrency: 2 }, () => {
  test('ctr run -t: a terminal of its size, resized, interrupted', async () => {
    const p = await person(['vctr', 'run', '-t', '--rm', IMAGE, 'tty-run', '/bin/sh']);
    await p.sees(PROMPT);
    await ask(p, 'stty size', /^24 80\r$/m);
    p.command('size 40 120');
    p.clear();
    // The size comes by way of ctr, containerd, the shim and the monitor.
    p.type(
      'n=0; until [ "$(stty size)" = "40 120" ] || [ $((n+=1)) -gt 200 ]; do usleep 100000; done; stty size\r',
    );
    await p.sees(/^40 120\r$/m);
    await ask(p, 'tty', /^\/dev\/pts\/0\r$/m);
    await interrupt(p);
    p.type('exit 7\r');
    await p.hears(/^exit 7$/m);
  });

  test('ctr task attach, exec -t in the same container, and a client that is killed', async () => {
    // ctr wants a terminal for this, too, and leaves it at once.
    const start = await person(['vctr', 'run', '-d', '-t', IMAGE, 'tty-d', '/bin/sh']);
    await start.hears(/^exit 0$/m);
    const first = await person(['ctr', 'task', 'attach', 'tty-d']);
    first.type('\r');
    await first.sees(PROMPT);
    await ask(first, 'echo $((6 * 7))', /^42\r$/m);
    const exec = await person(['ctr', 'task', 'exec', '-t', '--exec-id', 'sh', 'tty-d', '/bin/sh']);
    await exec.sees(PROMPT);
    await ask(exec, 'stty size', /^24 80\r$/m);
    exec.command('size 33 99');
    exec.clear();
    exec.type(
      'n=0; until [ "$(stty size)" = "33 99" ] || [ $((n+=1)) -gt 200 ]; do usleep 100000; done; stty size\r',
    );
    await exec.sees(/^33 99\r$/m);
    // Each has a terminal of its own.
    await ask(exec, 'tty', /^\/dev\/pts\/1\r$/m);
    await interrupt(exec);
    exec.type('exit 5\r');
    await exec.hears(/^exit 5$/m);
    await first.close();
    await waitFor("! pgrep -f '^ctr task (attach tty-d|exec .*tty-d)' >/dev/null");
    const second = await person(['ctr', 'task', 'attach', 'tty-d']);
    second.type('\r');
    await second.sees(PROMPT);
    await ask(second, 'echo $((40 + 3))', /^43\r$/m);
    second.type('exit 3\r');
    // Who is attached when it ends takes the task along.
    await second.hears(/^exit 3$/m);
    await mustSh('! ctr task rm tty-d 2>/dev/null; ctr c rm tty-d');
  });
});
