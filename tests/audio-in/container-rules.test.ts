import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { writeAiff, writeWav } from '../../bench/hard-material/containers/pcm-files.ts';
import { encodeVorbis, withoutEnd } from '../../bench/hard-material/containers/ogg-file.ts';
import { encodeMp3At } from '../../bench/hard-material/containers/mp3-file.ts';
import { toIntegers, writeFlacOf } from '../../bench/hard-material/containers/flac-file.ts';
import { apeTag, id3v1, id3v2 } from '../../bench/hard-material/containers/tag-bytes.ts';
import { detectFormat } from '../../audio/decode/detect.ts';
import { decodeAudio, openAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { readMp4Sound } from '../../audio/decode/mp4-boxes.ts';
import { leadingTagsLength, trailingTagsStart } from '../../audio/decode/tags.ts';
import { AudioError } from '../../audio/errors.ts';
import type { AudioErrorCode } from '../../schema.ts';
import { noise } from './signals.ts';

const SECONDS = 6;
const random = noise(5);
const samples = Float32Array.from({ length: SECONDS * SAMPLE_RATE }, () => 0.5 * random());
const fixture = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(`fixtures/${name}`, import.meta.url)));
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

async function refusal(bytes: Uint8Array): Promise<AudioError> {
  try {
    await decodeAudio(bytes);
  } catch (error) {
    if (error instanceof AudioError) return error;
    throw error;
  }
  throw new Error('The file was accepted.');
}

async function assertRefused(bytes: Uint8Array, code: AudioErrorCode, message: RegExp): Promise<void> {
  const error = await refusal(bytes);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
}

test('files of formats that cannot be read are refused by name, with formats to convert to', async () => {
  const kinds: readonly (readonly [start: string, name: RegExp])[] = [
    ['\x30\x26\xb2\x75', /Windows Media/],
    ['\x1a\x45\xdf\xa3', /WebM or Matroska/],
    ['caff\0\x01', /Core Audio/],
    ['.snd', /Sun audio/],
    ['MAC ', /Monkey's Audio/],
    ['wvpk', /WavPack/],
    ['MThd', /MIDI/],
    ['RIFF\0\0\0\0AVI ', /AVI video/],
  ];
  for (const [start, name] of kinds) {
    const bytes = join(id3v2(50), Buffer.from(start.padEnd(4_000, '\0'), 'latin1'));
    await assertRefused(bytes, 'audio_unsupported_format', name);
    assert.match((await refusal(bytes)).hint, /^Convert it to/);
  }
});

test('tags before and behind a file are skipped, whatever the format', async () => {
  const wav = writeWav([samples], { sampleRate: SAMPLE_RATE, bits: 16 });
  const aiff = writeAiff([samples], { sampleRate: SAMPLE_RATE, bits: 16 });
  const files = [wav, aiff, await fixture('band.opus'), await fixture('band.m4a')];
  for (const file of files) {
    const tagged = join(id3v2(300), id3v2(70_000), new Uint8Array(500), file);
    assert.equal(leadingTagsLength(tagged), tagged.length - file.length);
    assert.equal(detectFormat(tagged), detectFormat(file));
  }
  const mp3 = await encodeMp3At([samples], SAMPLE_RATE, 64);
  assert.equal(trailingTagsStart(join(mp3, apeTag(900), id3v1())), mp3.length);
  assert.equal(leadingTagsLength(join(apeTag(900), mp3)), 900 + 64);
});

test('FLAC of every depth decodes to the exact integers', async () => {
  for (const bits of [4, 5, 8, 12, 16, 17, 20, 24, 28, 32]) {
    const short = samples.subarray(0, SAMPLE_RATE / 4);
    const { channels } = await decodeAudio(writeFlacOf([short], SAMPLE_RATE, bits), { limits: { minSec: 0.1 } });
    const expected = Float32Array.from(toIntegers(short, bits), (value) => (value + 0) / 2 ** (bits - 1));
    assert.deepEqual(channels[0], expected, `${bits} bits`);
  }
});

test('a length of samples beyond the end is a placeholder above 200 MB, or if the outer length agrees with the file', async () => {
  const lengthOf = async (bytes: Uint8Array): Promise<number> => (await decodeAudio(bytes)).duration_sec;
  const options = { sampleRate: SAMPLE_RATE, bits: 16 };
  const whole = samples.length * 2;
  for (const dataLength of [0, 0x0d000000, 0x7fffffff, 0xfffffff0])
    assert.equal(await lengthOf(writeWav([samples], { ...options, dataLength })), SECONDS);
  await assertRefused(writeWav([samples], { ...options, dataLength: whole * 2 }), 'audio_truncated', /only 50 %/);
  const wrong = Buffer.from(writeWav([samples], { ...options, dataLength: whole * 2 }));
  wrong.writeUInt32LE(wrong.length - 8, 4);
  assert.equal(await lengthOf(wrong), SECONDS);
});

test('an AIFF file that ends early is refused with the share that is there', async () => {
  const file = writeAiff([samples], { sampleRate: SAMPLE_RATE, bits: 16 });
  await assertRefused(file.subarray(0, file.length * 0.7), 'audio_truncated', /only (69|70) %/);
});

test('an Ogg file without an end mark gives a warning, and one that ends inside a page is refused', async () => {
  const file = await encodeVorbis([samples], SAMPLE_RATE, 1);
  assert.deepEqual(openAudio(file).warnings, []);
  assert.match(openAudio(withoutEnd(file)).warnings.join(), /no mark at its end/);
  await assertRefused(file.subarray(0, file.length - 100), 'audio_truncated', /middle of a page/);
});

test('the length of an m4a file is that of its sound, and a file that ends before its index is cut', async () => {
  const file = await fixture('band.m4a');
  assert.equal(readMp4Sound(file).seconds, 6);
  await assertRefused(file.subarray(0, file.length / 2), 'audio_truncated', /its end is missing/);
});
