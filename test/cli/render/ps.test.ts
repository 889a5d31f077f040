// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPs } from '../../../src/cli/render/ps.ts';
import type { Dom0Process } from '../../../src/verbs/ps.ts';

test('the table names the program of each process', () => {
  const processes: Dom0Process[] = [
    { pid: 12, kind: 'container', program: '/bin/sh' },
    { pid: 4711, kind: 'exec', program: 'ls' },
  ];
  assert.equal(
    renderPs(processes, 'table'),
    'PID       KIND       PROGRAM\n12        container  /bin/sh\n4711      exec       ls\n',
  );
});

test('JSON is the list of pids, and looks up no program', () => {
  const process: Dom0Process = {
    pid: 12,
    kind: 'container',
    get program(): string {
      return assert.fail('the program was looked up');
    },
  };
  assert.equal(renderPs([process], 'json'), '[12]\n');
});
