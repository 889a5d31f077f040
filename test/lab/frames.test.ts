// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, encodeStart, FrameDecoder, FrameType } from '../../lab/frames.ts';

const FRAMES = [
  { type: FrameType.stdin, payload: Buffer.from([0, 255, 128, 10]) },
  { type: FrameType.stdinEnd, payload: Buffer.alloc(0) },
  { type: FrameType.stdout, payload: Buffer.alloc(70_000, 7) },
];
const BYTES = Buffer.concat(FRAMES.map(({ type, payload }) => encodeFrame(type, payload)));

for (const size of [1, 2, 5, 6, 4096, BYTES.length]) {
  test(`frames survive a stream cut into chunks of ${size}`, () => {
    const decoder = new FrameDecoder();
    const frames = [];
    for (let at = 0; at < BYTES.length; at += size) {
      // A copy, as a socket may reuse its memory.
      frames.push(...decoder.push(Buffer.from(BYTES.subarray(at, at + size))));
    }
    assert.deepEqual(frames, FRAMES);
  });
}

test('an incomplete frame is not delivered', () => {
  assert.deepEqual(new FrameDecoder().push(BYTES.subarray(0, 8)), []);
});

test('a frame that is too long is refused before its payload comes', () => {
  const header = Buffer.from([FrameType.stdout, 0xff, 0xff, 0xff, 0xff]);
  assert.throws(() => new FrameDecoder().push(header), RangeError);
  assert.throws(() => encodeFrame(FrameType.stdin, Buffer.alloc((4 << 20) + 1)), RangeError);
});

test('a start request is lengths and bytes, never a shell line', () => {
  const payload = encodeStart({ token: 't', argv: ['a b', 'é', ''], env: { X: '1=2' }, cwd: '/' });
  const expected = [
    ...[0, 0, 0, 1, 0x74],
    ...[0, 0, 0, 3, 0, 0, 0, 3, 0x61, 0x20, 0x62, 0, 0, 0, 2, 0xc3, 0xa9, 0, 0, 0, 0],
    ...[0, 0, 0, 1, 0, 0, 0, 5, 0x58, 0x3d, 0x31, 0x3d, 0x32],
    ...[0, 0, 0, 1, 0x2f],
  ];
  assert.deepEqual([...payload], expected);
});

test('a NUL in a start request is refused', () => {
  assert.throws(() => encodeStart({ token: 't', argv: ['a\0b'], env: {}, cwd: '/' }), TypeError);
});
