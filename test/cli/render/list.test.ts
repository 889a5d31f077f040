// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderList } from '../../../src/cli/render/list.ts';
import type { State } from '../../../src/verbs/state.ts';

const STATE: State = {
  ociVersion: '1.3.0',
  id: 'a-rather-long-name',
  pid: 7,
  status: 'running',
  bundle: '/b',
  rootfs: '/b/rootfs',
  created: '2026-01-01T00:00:00.000Z',
  owner: 'root',
};

test('the table: columns as wide as their longest cell, the last one open', () => {
  assert.equal(
    renderList([STATE], 'table'),
    'ID                  PID           STATUS        BUNDLE        CREATED                   OWNER\n' +
      'a-rather-long-name  7             running       /b            2026-01-01T00:00:00.000Z  root\n',
  );
  assert.match(renderList([], 'table'), /^ID +PID +STATUS +BUNDLE +CREATED +OWNER\n$/);
});

test('JSON has all of each state, quiet the ids alone', () => {
  assert.deepEqual(JSON.parse(renderList([STATE], 'json')), [STATE]);
  assert.equal(renderList([], 'json'), '[]\n');
  assert.equal(renderList([STATE, { ...STATE, id: 'b' }], 'quiet'), 'a-rather-long-name\nb\n');
  assert.equal(renderList([], 'quiet'), '');
});
