import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { openFlacRanges } from '../../audio/decode/flac.ts';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { AudioError } from '../../audio/errors.ts';
import { missingRanges, PieceCollector, readPieces } from '../../services/processing/files/stem-pieces.ts';
import { noise } from './signals.ts';

const RATE = 44_100;
const SEC = 6;

describe('parts of a FLAC file', () => {
  let file: Uint8Array;
  let whole: [Float32Array, Float32Array];

  before(async () => {
    file = await encodeFlac([noise(SEC, RATE, 0.5, 1), noise(SEC, RATE, 0.1, 2)], RATE, { title: 'A title' });
    whole = (await decodeAudio(file)).channels;
  });

  function decode(bytes: Uint8Array, from: number, to: number): [Float32Array, Float32Array] {
    const result: [Float32Array, Float32Array] = [new Float32Array(to - from), new Float32Array(to - from)];
    for (const { at, channels } of openFlacRanges(bytes)!.decode(from, to))
      for (const c of [0, 1] as const) result[c].set(channels[c]!, at - from);
    return result;
  }

  it('have exactly the samples of the whole file', () => {
    const end = whole[0].length;
    for (const [from, to] of [
      [0, 1],
      [0, end],
      [4095, 4097],
      [100_000, 200_001],
      [end - 10, end],
    ] as const) {
      const part = decode(file, from, to);
      for (const c of [0, 1] as const) assert.deepEqual(part[c], whole[c].subarray(from, to), `${from} to ${to}`);
    }
  });

  it('end where the file ends', () => {
    const end = whole[0].length;
    assert.deepEqual(
      decode(file, end - 5, end + 5)[0],
      Float32Array.from([...whole[0].subarray(end - 5), 0, 0, 0, 0, 0]),
    );
    assert.deepEqual([...openFlacRanges(file)!.decode(end + 1, end + 5)], []);
  });

  it('are refused where the file is cut or damaged, and read elsewhere', () => {
    const hasCode = (code: string) => (error: unknown) => error instanceof AudioError && error.code === code;
    const cut = file.subarray(0, file.length >> 1);
    assert.deepEqual(decode(cut, 1000, 2000)[0], whole[0].subarray(1000, 2000));
    assert.throws(() => decode(cut, 0, whole[0].length), hasCode('audio_truncated'));
    const damaged = file.slice();
    damaged.fill(0, file.length >> 1, (file.length >> 1) + 60_000);
    assert.deepEqual(decode(damaged, 1000, 2000)[0], whole[0].subarray(1000, 2000));
    assert.throws(() => decode(damaged, 0, whole[0].length), hasCode('audio_damaged'));
  });

  it('are not read of other formats', () => {
    assert.equal(openFlacRanges(new TextEncoder().encode('this is no FLAC file, whatever it is called')), null);
  });
});

describe('pieces of a stem', () => {
  const short = Float32Array.from([0, 1 / 32_768, -1, 32_767 / 32_768]);

  it('hold 16-bit samples exactly in two bytes each', () => {
    const collector = new PieceCollector([[10, 14]]);
    collector.add([short, short], 10);
    assert.ok(collector.pieces[0]!.channels[0] instanceof Int16Array);
    assert.deepEqual(readPieces(collector.pieces, 9, 15)[0], Float32Array.from([0, ...short, 0]));
  });

  it('hold other samples exactly, also if they follow 16-bit samples', () => {
    const other = Float32Array.from([0.1, 1.5, -2, 1e-9]);
    const collector = new PieceCollector([[0, 8]]);
    collector.add([short, short], 0);
    collector.add([other, short], 4);
    assert.deepEqual(readPieces(collector.pieces, 0, 8)[0], Float32Array.from([...short, ...other]));
    assert.deepEqual(readPieces(collector.pieces, 0, 8)[1], Float32Array.from([...short, ...short]));
  });

  it('name what is missing of overlapping ranges', () => {
    const { pieces } = new PieceCollector([
      [10, 20],
      [30, 40],
    ]);
    assert.deepEqual(
      missingRanges(
        [
          [0, 5],
          [3, 15],
          [18, 50],
        ],
        pieces,
      ),
      [
        [0, 10],
        [20, 30],
        [40, 50],
      ],
    );
    assert.deepEqual(missingRanges([[12, 20]], pieces), []);
  });
});
