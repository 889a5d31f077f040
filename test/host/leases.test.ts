// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dropLease, leaseOwner, takeLease } from '../../src/host/leases.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const run = temporaryFolder();
const [A, B] = ['uuid-a a', `uuid-b ${'b'.repeat(1024)}`] as const;
const owner = (): string | undefined => leaseOwner(run, 'br0', '10.0.0.1');

test('an address has one owner, which alone gives it back', () => {
  assert.equal(owner(), undefined);
  assert.equal(takeLease(run, 'br0', '10.0.0.1', A), true);
  assert.equal(takeLease(run, 'br0', '10.0.0.1', A), true, 'it has it already');
  assert.equal(takeLease(run, 'br0', '10.0.0.1', B), false);
  assert.equal(takeLease(run, 'br1', '10.0.0.1', B), true);
  dropLease(run, 'br0', '10.0.0.1', B);
  assert.equal(owner(), A);
  dropLease(run, 'br0', '10.0.0.1', A);
  dropLease(run, 'br0', '10.0.0.1', A);
  assert.equal(owner(), undefined);
  assert.equal(takeLease(run, 'br0', '10.0.0.1', B), true);
  assert.equal(owner(), B);
  assert.deepEqual(readdirSync(join(run, 'leases')).sort(), ['br0_10.0.0.1', 'br1_10.0.0.1']);
});
