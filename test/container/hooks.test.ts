// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkGuestHooks, HOOKS, parseHooks } from '../../src/container/hooks.ts';
import { hasHooks } from '../../src/spec/bundle.ts';
import { configJson, specOf } from '../fixtures/spec.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { throwsVxn } from '../fixtures/throws.ts';

const parse = (hooks: unknown) => parseHooks(configJson({ hooks }));

test('what config.json says of a hook', () => {
  const hooks = parse({
    prestart: [{ path: '/bin/a' }, { path: '/bin/b', args: ['x', '', ' y '], env: [], timeout: 7 }],
    poststop: [{ path: '/bin/c', args: [], env: ['A=b=c'] }],
  });
  assert.deepEqual(hooks.prestart, [
    { path: '/bin/a', args: ['/bin/a'], env: undefined, timeout: undefined },
    { path: '/bin/b', args: ['x', '', ' y '], env: [], timeout: 7 },
  ]);
  assert.deepEqual(hooks.poststop, [
    { path: '/bin/c', args: ['/bin/c'], env: ['A=b=c'], timeout: undefined },
  ]);
  assert.deepEqual(hooks.createRuntime, []);
});

const INVALID: [hooks: unknown, text: string][] = [
  [[], 'hooks must be an object'],
  [{ prestart: {} }, 'hooks.prestart must be a list'],
  [{ poststart: ['x'] }, 'hooks.poststart[0] must be an object'],
  [{ poststart: [{}] }, 'hooks.poststart[0].path must be a string'],
  [{ poststop: [{ path: 'bin/a' }] }, 'hooks.poststop[0].path must be an absolute path, not "bin/a"'],
  [
    { createRuntime: [{ path: '/a' }, { path: '/a', timeout: 0 }] },
    'hooks.createRuntime[1].timeout must be from 1 to',
  ],
  [{ createRuntime: [{ path: '/a', timeout: -1 }] }, 'hooks.createRuntime[0].timeout must be from 1 to'],
  [{ createRuntime: [{ path: '/a', timeout: '1' }] }, 'hooks.createRuntime[0].timeout must be an integer'],
  [{ startContainer: [{ path: '/a', args: 'x' }] }, 'hooks.startContainer[0].args must be a list'],
  [
    { startContainer: [{ path: '/a', env: ['A'] }] },
    'hooks.startContainer[0].env[0] must be NAME=value, not "A"',
  ],
  [{ startContainer: [{ path: '/a\0' }] }, 'hooks.startContainer[0].path must not contain a NUL character'],
];
for (const [hooks, text] of INVALID) {
  test(`refused: hooks ${JSON.stringify(hooks)}`, () =>
    throwsVxn(() => parse(hooks), 'INVALID_SPEC', `config.json: ${text}`));
}

test('a configuration has hooks when one list is not empty', () => {
  assert.equal(hasHooks(configJson()), false);
  assert.equal(hasHooks(configJson({ hooks: {} })), false);
  assert.equal(hasHooks(configJson({ hooks: null })), false);
  assert.equal(hasHooks(configJson({ hooks: { prestart: [], poststop: null } })), false);
  for (const name of HOOKS) assert.equal(hasHooks(configJson({ hooks: { [name]: [{}] } })), true);
});

test('a createContainer hook must be in the container, whatever links say; other hooks need not', () => {
  const root = temporaryFolder();
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  writeFileSync(join(root, 'usr/bin/tool'), '');
  symlinkSync('usr/bin', join(root, 'bin'));
  symlinkSync('/bin/tool', join(root, 'absolute'));
  symlinkSync('../../../../usr/bin/tool', join(root, 'out'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('/etc/passwd', join(root, 'host'));
  const check = (path: string, mounts: object[] = []) =>
    checkGuestHooks(
      parse({ createContainer: [{ path }], prestart: [{ path: '/no' }] }),
      specOf({ mounts }),
      root,
    );
  for (const path of ['/usr/bin/tool', '/bin/tool', '/absolute', '/out', '/bin/../bin//./tool']) check(path);
  for (const path of ['/etc/passwd', '/loop', '/host', '/bin/no']) {
    throwsVxn(
      () => check(path),
      'UNSUPPORTED',
      `hooks.createContainer[0]: ${path} is not in the container (a createContainer hook runs in`,
    );
  }
  check('/opt/hooks/x', [{ destination: '/opt/hooks/', source: '/x', type: 'bind', options: ['bind'] }]);
  throwsVxn(
    () => check('/opt/hooksx', [{ destination: '/opt/hooks', type: 'tmpfs' }]),
    'UNSUPPORTED',
    'not in the container',
  );
});
