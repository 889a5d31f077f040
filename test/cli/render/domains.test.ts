// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDomains } from '../../../src/cli/render/domains.ts';
import type { DomainRow } from '../../../src/verbs/domains.ts';

const POD: DomainRow = {
  uuid: '6f1c9a52-4a0e-4b53-9e5e-0c7a8f0c2d11',
  name: 'vxn-web-0123456789abcdef',
  domid: 5,
  kind: 'agent',
  status: 'running',
  memory: 256,
  vcpus: 2,
  containers: [
    { root: '/run/containerd/runc/k8s.io', id: 'web' },
    { root: '/run/containerd/runc/k8s.io', id: 'log' },
  ],
};
const ENDED: DomainRow = { ...POD, domid: undefined, status: 'ended', containers: [] };

test('the table: a container is its root and its id', () => {
  const [head = '', pod = '', ended = '', end] = renderDomains([POD, ENDED], 'table').split('\n');
  assert.match(head, /^NAME +DOMID +KIND +STATUS +MEMORY +VCPUS +UUID +CONTAINERS$/);
  assert.match(pod, /^vxn-web-0123456789abcdef {2}5 +agent +running +256 MiB +2 +6f1c9a52-\S+ {2}/);
  assert.match(pod, / {2}\/run\/containerd\/runc\/k8s\.io\/web \/run\/containerd\/runc\/k8s\.io\/log$/);
  assert.match(ended, /^vxn-web-0123456789abcdef {2}- +agent +ended /);
  assert.equal(end, '');
});

test('JSON has all of each domain', () => {
  const { domid: _, ...ended } = ENDED;
  assert.deepEqual(JSON.parse(renderDomains([POD, ENDED], 'json')), [POD, ended]);
  assert.equal(renderDomains([], 'json'), '[]\n');
});
