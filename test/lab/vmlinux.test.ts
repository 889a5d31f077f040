// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bzImagePayload, extractVmlinux } from '../../lab/vmlinux.ts';

const KERNEL = Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(5000, 3)]);

function bzImage(payload: Buffer, { setupSectors = 3, offset = 64, version = 0x20f } = {}): Buffer {
  const sectors = setupSectors || 4;
  const image = Buffer.alloc((sectors + 1) * 512 + offset + payload.length + 100, 0xcc);
  image.writeUInt8(setupSectors, 0x1f1);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(version, 0x206);
  image.writeUInt32LE(offset, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  payload.copy(image, (sectors + 1) * 512 + offset);
  return image;
}

/** As the kernel's build does: the unpacked size follows the compressed data. */
function compressed(kernel: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(kernel.length);
  return Buffer.concat([gzipSync(kernel), size]);
}

for (const setupSectors of [0, 3, 39]) {
  test(`the payload is found behind ${setupSectors} setup sectors`, () => {
    assert.deepEqual(bzImagePayload(bzImage(KERNEL, { setupSectors })), KERNEL);
  });
}

test('a compressed kernel with its size appended is unpacked', () => {
  assert.deepEqual(extractVmlinux(bzImage(compressed(KERNEL))), KERNEL);
});

test('an uncompressed payload is taken as it is', () => {
  assert.deepEqual(extractVmlinux(bzImage(KERNEL)), KERNEL);
});

const REFUSED: [string, Buffer, RegExp][] = [
  ['something else', Buffer.alloc(4096), /no setup header/],
  ['an empty file', Buffer.alloc(0), /no setup header/],
  ['an old boot protocol', bzImage(KERNEL, { version: 0x207 }), /too old/],
  ['a truncated file', bzImage(KERNEL).subarray(0, 3000), /truncated/],
  ['an unknown compression', bzImage(Buffer.alloc(64, 9)), /unknown way/],
  ['a payload that unpacks to no kernel', bzImage(compressed(Buffer.alloc(64))), /did not unpack a kernel/],
];
for (const [name, image, message] of REFUSED) {
  test(`${name} is refused`, () => assert.throws(() => extractVmlinux(image), message));
}
