// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeDescription,
  encodeFrame,
  type Frame,
  FrameReader,
  PAYLOAD_MAX,
  Records,
  Tag,
  Type,
} from '../../src/channel/protocol.ts';
import { readRecords } from '../fixtures/records.ts';
import { vectors } from '../fixtures/vectors.ts';

const hex = (text = ''): Buffer => Buffer.from(text, 'hex');
const FRAMES = vectors('frames.txt');

for (const [name, type, flags, id, payload, frame] of FRAMES) {
  test(`vector ${name}: encoded`, () => {
    assert.equal(encodeFrame(Number(type), Number(id), hex(payload), Number(flags)).toString('hex'), frame);
  });
  test(`vector ${name}: decoded`, () => {
    const expected: Frame = {
      type: Number(type),
      flags: Number(flags),
      id: Number(id),
      payload: hex(payload),
    };
    assert.deepEqual(new FrameReader().push(hex(frame)), [expected]);
  });
}

const STREAM = Buffer.concat([
  ...FRAMES.map((f) => hex(f[5])),
  encodeFrame(Type.Stdout, 1, Buffer.alloc(PAYLOAD_MAX, 3)),
]);
for (const size of [1, 2, 11, 12, 13, 4096, STREAM.length]) {
  test(`a stream in chunks of ${size}`, () => {
    const reader = new FrameReader();
    const got: Frame[] = [];
    for (let at = 0; at < STREAM.length; at += size)
      got.push(...reader.push(Buffer.from(STREAM.subarray(at, at + size))));
    assert.equal(got.length, FRAMES.length + 1);
    assert.ok(Buffer.concat(got.map((f) => encodeFrame(f.type, f.id, f.payload, f.flags))).equals(STREAM));
  });
}

// What only a guest may not send is the monitor's to find; the runtime never reads from a guest.
for (const [name, bytes, fault] of vectors('bad-frames.txt').filter(
  (v) => v[2] === 'malformed frame header',
)) {
  test(`bad vector ${name} is refused before its payload`, () => {
    assert.throws(() => new FrameReader().push(hex(bytes)), { name: 'RangeError', message: fault as string });
  });
}

for (const [name, records, payload] of vectors('records.txt')) {
  if (records === 'malformed') {
    test(`records ${name}: the tests' own reader refuses them`, () =>
      assert.throws(() => readRecords(hex(payload))));
    continue;
  }
  test(`records ${name}`, () => {
    const r = new Records();
    for (const record of (records ?? '').split(' ').filter((x) => x !== '')) {
      const [tag, value] = record.split('=');
      r.raw(Number(tag), hex(value));
    }
    assert.equal(r.bytes().toString('hex'), payload);
    assert.deepEqual(
      readRecords(hex(payload))
        .map(([t, v]) => `0x${t.toString(16).padStart(4, '0')}=${v.toString('hex')}`)
        .join(' '),
      records,
    );
  });
}

test('numbers: little-endian, negative ones as two’s complement', () => {
  assert.equal(new Records().u32(Tag.OomScoreAdj, -998).bytes().toString('hex'), '0d050000040000001afcffff');
  assert.equal(
    new Records()
      .u64(Tag.BindSize, 1n << 63n)
      .bytes()
      .toString('hex'),
    '0b010000080000000000000000000080',
  );
});

for (const length of [0, 1, PAYLOAD_MAX, PAYLOAD_MAX + 1, 3 * PAYLOAD_MAX, 4 << 20]) {
  test(`a description of ${length} bytes is cut into frames and joined again`, () => {
    const description = Buffer.alloc(length, 0xa5);
    const frames = new FrameReader().push(encodeDescription(Type.Process, 9, description));
    assert.ok(Buffer.concat(frames.map((f) => f.payload)).equals(description));
    assert.deepEqual(
      frames.map((f) => f.flags),
      [...frames.slice(1).map(() => 1), 0],
    );
    assert.equal(frames.length, Math.max(1, Math.ceil(length / PAYLOAD_MAX)));
    const open = new FrameReader().push(encodeDescription(Type.Process, 9, description, true));
    assert.deepEqual(
      open.map((f) => f.flags),
      frames.map(() => 1),
    );
  });
}

test('what is too long is refused', () => {
  assert.throws(() => encodeFrame(Type.Stdin, 1, Buffer.alloc(PAYLOAD_MAX + 1)), RangeError);
  assert.throws(() => encodeDescription(Type.Process, 1, Buffer.alloc((4 << 20) + 1)), RangeError);
});
