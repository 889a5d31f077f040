// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATION_NAMES } from '../../src/spec/annotations.ts';
import { CAPABILITIES } from '../../src/spec/capabilities.ts';
import { features } from '../../src/verbs/features.ts';

const f = features('9.9.9') as {
  ociVersionMin: string;
  ociVersionMax: string;
  mountOptions: string[];
  linux: { namespaces: string[]; capabilities: string[]; mountExtensions: { idmap: { enabled: boolean } } };
  potentiallyUnsafeConfigAnnotations: string[];
};

test('there is a linux object: containerd 2.0 to 2.2 panics without one', () => {
  assert.equal(typeof f.linux, 'object');
});

test('no user namespace and no idmap are promised: containerd would use them', () => {
  assert.ok(!f.linux.namespaces.includes('user'));
  assert.equal(f.linux.mountExtensions.idmap.enabled, false);
  assert.ok(!f.mountOptions.includes('rro'));
});

test('versions, capabilities and annotations', () => {
  assert.equal(f.ociVersionMin, '1.0.0');
  assert.match(f.ociVersionMax, /^1\.\d+\.\d+$/);
  assert.deepEqual(f.linux.capabilities, CAPABILITIES);
  const [prefix, ...names] = f.potentiallyUnsafeConfigAnnotations;
  assert.equal(prefix, 'org.openembedded.vxn.');
  assert.deepEqual(
    names,
    ANNOTATION_NAMES.map((name) => `org.openembedded.vxn.${name}`),
  );
});

test('every call says the same', () => assert.deepEqual(features('9.9.9'), f));
