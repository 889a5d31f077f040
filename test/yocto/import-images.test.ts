// SPDX-License-Identifier: MIT
// The script that imports the images which came with a Dom0, with engines of the test's own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { ROOT } from './bitbake.ts';

const SOURCE = join(ROOT, 'recipes-containers/vcontainer/vxn-container-images/vxn-import-images.in');

class Dom0 {
  readonly folder = temporaryFolder();
  readonly images = join(this.folder, 'share/vxn/images');
  private readonly script = join(this.folder, 'import');

  constructor(engine: string) {
    mkdirSync(this.images, { recursive: true });
    mkdirSync(join(this.folder, 'bin'));
    const values = {
      DATADIR: join(this.folder, 'share'),
      LOCALSTATEDIR: join(this.folder, 'var'),
      ENGINE: engine,
      NAMESPACE: 'k8s.io',
    };
    const text = Object.entries(values).reduce(
      (t, [name, value]) => t.replaceAll(`@${name}@`, value),
      readFileSync(SOURCE, 'utf8'),
    );
    assert.doesNotMatch(text, /@[A-Z]+@/);
    writeFileSync(this.script, text);
    for (const name of ['ctr', 'docker', 'podman'])
      this.program(name, `echo "${name} $*: $(cat)" >>${this.folder}/calls`);
  }

  program(name: string, body: string): void {
    const path = join(this.folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }

  archive(name: string, content: string | Buffer): void {
    writeFileSync(join(this.images, name), content);
  }

  start(): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('sh', [this.script], {
      encoding: 'utf8',
      env: { PATH: `${join(this.folder, 'bin')}:/usr/bin:/bin` },
    });
  }

  get calls(): string[] {
    const file = join(this.folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}

describe('import of container images', () => {
  for (const [engine, call] of [
    ['containerd', 'ctr -n k8s.io images import -: one'],
    ['docker', 'docker load: one'],
    ['podman', 'podman load: one'],
  ] as const) {
    it(`${engine} gets each image once, and it is said`, () => {
      const dom0 = new Dom0(engine);
      dom0.archive('one.tar', 'one');
      const first = dom0.start();
      assert.deepEqual([first.status, first.stdout], [0, 'importing one.tar\n']);
      assert.deepEqual(dom0.calls, [call]);
      const second = dom0.start();
      assert.deepEqual([second.status, second.stdout], [0, '']);
      assert.equal(dom0.calls.length, 1);
    });
  }

  it('unpacks what is compressed', () => {
    const dom0 = new Dom0('containerd');
    dom0.archive('a.tar.gz', gzipSync('packed'));
    assert.equal(dom0.start().status, 0);
    assert.deepEqual(dom0.calls, ['ctr -n k8s.io images import -: packed']);
  });

  it('imports an image again that was replaced', () => {
    const dom0 = new Dom0('containerd');
    dom0.archive('one.tar', 'one');
    dom0.start();
    dom0.archive('one.tar', 'newer');
    assert.equal(dom0.start().stdout, 'importing one.tar\n');
    assert.equal(dom0.calls.length, 2);
  });

  it('goes on after a failure, tells of it, and tries again', () => {
    const dom0 = new Dom0('containerd');
    dom0.archive('a.tar', 'bad');
    dom0.archive('b.tar', 'good');
    dom0.program(
      'ctr',
      `text=$(cat); echo "$text" >>${dom0.folder}/calls; [ "$text" != bad ] || [ -e ${dom0.folder}/mended ]`,
    );
    const { status, stdout, stderr } = dom0.start();
    assert.equal(status, 1);
    assert.equal(stdout, 'importing a.tar\nimporting b.tar\n');
    assert.match(stderr, /^a\.tar could not be imported into containerd/);
    writeFileSync(join(dom0.folder, 'mended'), '');
    assert.deepEqual([dom0.start().status, dom0.calls], [0, ['bad', 'good', 'bad']]);
  });

  it('has nothing to do without images', () => {
    const dom0 = new Dom0('podman');
    rmSync(dom0.images, { recursive: true });
    const { status, stdout, stderr } = dom0.start();
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });
});
