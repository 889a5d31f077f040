// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderJson, renderText } from '../../../src/cli/render/doctor.ts';
import { Dom0 } from '../../fixtures/doctor.ts';

test('text for people: columns of plain ASCII; JSON for programs', () => {
  const dom0 = new Dom0();
  dom0.answer('xl info', '', 1, 'é\x1b[31m broken\n');
  const findings = dom0.findings();
  const text = renderText(findings);
  assert.match(text, /^ok {7}root +running as root\n/);
  assert.match(text, /^failed {3}xl +xl info fails: \?\[31m broken\n +-> see xl dmesg/m);
  assert.match(text, /\n\n\d+ ok, 0 warnings, 1 failed, \d+ skipped\n$/);
  assert.doesNotMatch(text, /[^\x20-\x7e\n]/);
  const json = JSON.parse(renderJson(findings, '1.2.3'));
  assert.deepEqual([json.version, json.failed], ['1.2.3', 1]);
  assert.deepEqual(json.checks, JSON.parse(JSON.stringify(findings)));
});
