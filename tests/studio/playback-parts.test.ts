/** FLAC parts as fragmented MP4, what is kept of them, and what a source buffer and an audio context are told to do. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { decodeFlacFrame } from '../../audio/decode/flac-frames.ts';
import { splitFlac } from '../../audio/decode/flac-split.ts';
import { readMp4Sound } from '../../audio/decode/mp4-boxes.ts';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { AudioError } from '../../audio/errors.ts';
import { planBuffer } from '../../packages/react/audio/playback/buffer-plan.ts';
import { nextFrame, startOf } from '../../packages/react/audio/playback/context-schedule.ts';
import { initSegment, mediaSegment } from '../../packages/react/audio/playback/fragmented-mp4.ts';
import { isWhole, openPart, partAt, PartCache } from '../../packages/react/audio/playback/parts.ts';

const RATE = 44_100;
/** Samples of one channel, of which no whole number of blocks is made. */
const SAMPLES = 12 * RATE + 1_234;

describe('parts of a mashup', () => {
  let file: Uint8Array<ArrayBuffer>;
  const playable = { path: 'x', sampleRate: 44_100 as const, totalFrames: 40 * RATE, ends: [SAMPLES, 2 * SAMPLES] };

  before(async () => {
    let state = 7;
    const noise = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff - 0.5;
    const channels = [Float32Array.from({ length: SAMPLES }, noise), Float32Array.from({ length: SAMPLES }, noise)];
    file = await encodeFlac(channels, RATE, { title: 'A title' });
  });

  test('a FLAC file is split into frames that follow each other and hold all samples', () => {
    const { frames, channels, bits, sampleRate, streamInfo } = splitFlac(file);
    assert.deepEqual([channels, bits, sampleRate, streamInfo.length], [2, 16, RATE, 34]);
    assert.equal(
      frames.reduce((sum, { samples }) => sum + samples, 0),
      SAMPLES,
    );
    assert.equal(frames.at(-1)?.end, file.length);
    for (const [i, { start, end, samples }] of frames.entries()) {
      if (i > 0) assert.equal(start, frames[i - 1]!.end);
      const decoded = decodeFlacFrame(file, start, bits);
      assert.deepEqual([decoded?.end, decoded?.channels[0]?.length], [end, samples]);
    }
  });

  test('a file with a changed byte, without its end, or of another kind is refused', () => {
    const changed = file.slice();
    changed[file.length >> 1]! ^= 0x10;
    for (const bytes of [changed, file.subarray(0, file.length - 100), file.subarray(0, 40), new Uint8Array(100)]) {
      assert.throws(() => splitFlac(bytes), AudioError);
    }
  });

  test('fragmented MP4 has the length of its frames, and each fragment starts at its own sample', () => {
    const { stream, fragments } = openPart(playable, 0, file.buffer);
    assert.ok(fragments.length >= 3);
    const segments = fragments.map(({ frames, from }, i) => mediaSegment(file, frames, from, i + 1));
    const mp4 = Buffer.concat([initSegment(stream), ...segments]);
    const sound = readMp4Sound(mp4);
    assert.deepEqual(
      { ...sound, seconds: Math.round(sound.seconds! * RATE) },
      {
        isCut: false,
        hasIndex: true,
        isFragmented: true,
        seconds: SAMPLES,
      },
    );
    // The description of the stream, and the frames as they are.
    assert.ok(mp4.includes(Buffer.concat([Buffer.from('dfLa\0\0\0\0\x80\0\0\x22', 'latin1'), stream.streamInfo])));
    const starts = segments.map((segment) => {
      const at = Buffer.from(segment).indexOf('tfdt') + 8;
      return Number(Buffer.from(segment).readBigUInt64BE(at));
    });
    assert.deepEqual(
      starts,
      fragments.map(({ from }) => from),
    );
    const data = segments.map((segment) => segment.subarray(Buffer.from(segment).indexOf('mdat') + 4));
    assert.deepEqual(Buffer.concat(data), Buffer.from(file.subarray(stream.frames[0]!.start)));
  });

  test('the place of a sample beyond 32 bits is written', () => {
    const { frames } = splitFlac(file);
    const segment = Buffer.from(mediaSegment(file, frames.slice(0, 1), 2 ** 32 + 5, 1));
    assert.equal(segment.readBigUInt64BE(segment.indexOf('tfdt') + 8), 2n ** 32n + 5n);
  });

  test('a part has its place in the mashup, and one of another length than the row tells is refused', () => {
    const part = openPart(playable, 1, file.buffer);
    assert.deepEqual([part.from, part.to], [SAMPLES, 2 * SAMPLES]);
    assert.throws(() => openPart({ ...playable, ends: [SAMPLES - 1] }, 0, file.buffer), /samples instead of/);
    assert.deepEqual(
      [0, SAMPLES - 1, SAMPLES, 2 * SAMPLES].map((sample) => partAt(playable, sample)),
      [0, 0, 1, -1],
    );
    assert.equal(isWhole(playable), false);
    assert.equal(isWhole({ ...playable, totalFrames: 2 * SAMPLES }), true);
  });

  test('a part is requested once, the memory for parts is bounded, and one that is gone is not requested again', async () => {
    const many = { ...playable, ends: Array.from({ length: 30 }, (_, i) => (i + 1) * SAMPLES) };
    const requests: number[] = [];
    const cache = new PartCache((_, index) => {
      requests.push(index);
      return index === 29 ? Promise.reject(new Error('gone')) : Promise.resolve(file.buffer);
    });
    const [first, second] = await Promise.all([cache.get(many, 0), cache.get(many, 0)]);
    assert.equal(first, second);
    for (let index = 1; index < 29; index++) await cache.get(many, index);
    assert.equal(requests.length, 29);
    assert.equal(cache.peek(28)?.index, 28);
    const kept = many.ends.filter((_, index) => cache.peek(index) !== undefined).length;
    assert.ok(kept > 3 && kept * file.length <= 32 * 1024 * 1024, `${kept} parts of ${file.length} bytes`);
    await assert.rejects(cache.get(many, 29), /gone/);
    await assert.rejects(cache.get(many, 29), /gone/);
    assert.equal(requests.filter((index) => index === 29).length, 1);
  });
});

test('a source buffer is filled to 60 s ahead, drops what was played and what lies far ahead, and fills a gap after a jump', () => {
  assert.deepEqual(planBuffer([], 0, 60), { appendAt: 0 });
  assert.deepEqual(planBuffer([[0, 40]], 3, 60), { appendAt: 40 });
  assert.deepEqual(planBuffer([[0, 63.1]], 3, 60), { appendAt: undefined });
  assert.deepEqual(planBuffer([[0, 90]], 31, 60), { remove: [0, 11], appendAt: 90 });
  assert.deepEqual(planBuffer([[100, 160]], 5, 60), { remove: [100, 160], appendAt: 5 });
  assert.deepEqual(
    planBuffer(
      [
        [0, 10],
        [10.0004, 30],
      ],
      5,
      60,
    ),
    { appendAt: 30 },
  );
  assert.deepEqual(
    planBuffer(
      [
        [0, 10],
        [12, 30],
      ],
      5,
      60,
    ),
    { appendAt: 10 },
  );
});

test('decoded parts start at whole samples of their context, one where the other ends', () => {
  const anchor = { sample: 1_000, contextFrame: nextFrame(2.000_001, 0.05, RATE) };
  assert.equal(anchor.contextFrame, Math.ceil(2.050_001 * RATE));
  const first = startOf(0, anchor, RATE);
  assert.deepEqual([Math.round(first.when * RATE), Math.round(first.offset * RATE)], [anchor.contextFrame, 1_000]);
  const second = startOf(500_001, anchor, RATE);
  assert.deepEqual([second.when * RATE - anchor.contextFrame, second.offset], [499_001, 0]);
});
