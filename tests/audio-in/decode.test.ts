import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';
import type { AudioErrorCode } from '../../schema.ts';
import { decodeAudio, MAX_FILE_BYTES, openAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { detectFormat } from '../../audio/decode/detect.ts';
import { encodeAudio } from '../../audio/encode/encode.ts';
import { AudioError } from '../../audio/errors.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { noise, playBand, tone } from './signals.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);
const SECONDS = 6;
const stereo = [tone(SECONDS, 440), tone(SECONDS, 660)];

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

/** Cosine of the angle between two signals, 1 for the same one at any level. */
function similarity(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

async function encode(format: 'mp3' | 'ogg'): Promise<Uint8Array> {
  if (format === 'mp3') {
    const encoder = await createMp3Encoder();
    encoder.configure({ channels: 2, sampleRate: SAMPLE_RATE, bitrate: 128 });
    return Buffer.concat([encoder.encode(stereo).slice(), encoder.finalize().slice()]);
  }
  const encoder = await createOggEncoder();
  encoder.configure({ channels: 2, sampleRate: SAMPLE_RATE, vbrQuality: 4 });
  return Buffer.concat([encoder.encode(stereo).slice(), encoder.finalize().slice()]);
}

/** A WAV file in any sample format. */
function wav(options: {
  bits: number;
  float?: boolean;
  channels?: number;
  sampleRate?: number;
  extensible?: boolean;
}): Uint8Array {
  const { bits, float = false, channels = 2, sampleRate = SAMPLE_RATE, extensible = false } = options;
  const signal = tone(SECONDS, 440, 0.5, sampleRate);
  const formatLength = extensible ? 40 : 16;
  const width = bits / 8;
  const dataLength = signal.length * channels * width;
  const file = Buffer.alloc(28 + formatLength + dataLength);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(formatLength, 16);
  const tag = float ? 3 : 1;
  file.writeUInt16LE(extensible ? 0xfffe : tag, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * channels * width, 28);
  file.writeUInt16LE(channels * width, 32);
  file.writeUInt16LE(bits, 34);
  if (extensible) file.writeUInt16LE(tag, 44);
  file.write('data', 20 + formatLength, 'latin1');
  file.writeUInt32LE(dataLength, 24 + formatLength);
  let at = 28 + formatLength;
  for (const value of signal) {
    for (let channel = 0; channel < channels; channel++, at += width) {
      if (float && bits === 32) file.writeFloatLE(value, at);
      else if (float) file.writeDoubleLE(value, at);
      else if (bits === 8) file.writeUInt8(Math.round(value * 127 + 128), at);
      else file.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), at, width);
    }
  }
  return file;
}

async function assertSine(bytes: Uint8Array, format: string, tolerance: number): Promise<void> {
  const decoded = await decodeAudio(bytes);
  assert.equal(decoded.format, format);
  assert.equal(decoded.sampleRate, 44_100);
  assert.ok(Math.abs(decoded.duration_sec - SECONDS) < 0.1, `duration ${decoded.duration_sec}`);
  const left = decoded.channels[0].subarray(SAMPLE_RATE, 3 * SAMPLE_RATE);
  // Share of the 440 Hz part in the power: wrong rates, swapped bytes and clipped samples reduce it.
  let [re, im, power] = [0, 0, 0];
  left.forEach((value, i) => {
    re += value * Math.cos((2 * Math.PI * 440 * i) / SAMPLE_RATE);
    im += value * Math.sin((2 * Math.PI * 440 * i) / SAMPLE_RATE);
    power += value * value;
  });
  assert.ok((2 * (re * re + im * im)) / left.length / power > 1 - tolerance);
  // LAME attenuates its input by 5 % at 128 kbit/s.
  assert.ok(Math.abs(Math.sqrt((2 * power) / left.length) - 0.5) < 0.03);
}

async function assertRejected(bytes: Uint8Array, code: AudioErrorCode): Promise<void> {
  await assert.rejects(decodeAudio(bytes), (error) => {
    assert.ok(error instanceof AudioError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.hint.length > 10);
    return true;
  });
}

for (const [bits, float] of [
  [8, false],
  [16, false],
  [24, false],
  [32, false],
  [32, true],
  [64, true],
] as const) {
  test(`wav with ${bits} bit ${float ? 'float' : 'integer'} samples decodes to the same sine`, async () => {
    await assertSine(wav({ bits, float }), 'wav', bits === 8 ? 1e-3 : 1e-4);
  });
}

test('extensible wav, mono wav and wav at 48, 96 and 22.05 kHz decode to stereo at 44.1 kHz', async () => {
  await assertSine(wav({ bits: 24, extensible: true }), 'wav', 1e-4);
  for (const sampleRate of [48_000, 96_000, 22_050]) await assertSine(wav({ bits: 16, sampleRate }), 'wav', 1e-4);
  const mono = await decodeAudio(wav({ bits: 16, channels: 1 }));
  assert.equal(mono.sourceChannels, 1);
  assert.deepEqual(mono.channels[0], mono.channels[1]);
});

test('mp3, ogg vorbis and flac decode to the same sine', async () => {
  await assertSine(await encode('mp3'), 'mp3', 1e-3);
  await assertSine(await encode('ogg'), 'ogg-vorbis', 1e-3);
  await assertSine(await encodeAudio(stereo, SAMPLE_RATE, 'flac'), 'flac', 1e-4);
});

test('an mp3 with a gapless header has exactly the length of its source', async () => {
  const { channels } = await decodeAudio(await encodeAudio(stereo, SAMPLE_RATE, 'mp3'));
  assert.equal(channels[0].length, stereo[0]!.length);
});

test('the format is detected from the content', async () => {
  assert.equal(detectFormat(await encode('mp3')), 'mp3');
  assert.equal(detectFormat(new TextEncoder().encode('These are the lyrics.\n'.repeat(500))), null);
  const random = noise(3);
  assert.equal(detectFormat(Uint8Array.from({ length: 200_000 }, () => Math.floor((random() + 1) * 128))), null);
});

test('text renamed to .mp3 is an unsupported format', async () => {
  await assertRejected(new TextEncoder().encode('These are the lyrics.\n'.repeat(500)), 'audio_unsupported_format');
});

test('empty, silent, too short, too long and too large files are rejected with their codes', async () => {
  await assertRejected(new Uint8Array(0), 'audio_empty');
  await assertRejected(
    encodeWav16([new Float32Array(SAMPLE_RATE * 8), new Float32Array(SAMPLE_RATE * 8)], SAMPLE_RATE),
    'audio_silent',
  );
  await assertRejected(encodeWav16([tone(2, 440)], SAMPLE_RATE), 'audio_too_short');
  await assertRejected((await encode('mp3')).subarray(0, 6000), 'audio_too_short');
  await assertRejected(encodeWav16([tone(960, 440, 0.5, 8000)], 8000), 'audio_too_long');
  await assertRejected(new Uint8Array(MAX_FILE_BYTES + 1), 'audio_too_large');
});

test('an MP3 file without a declared length gives a warning if it ends inside a frame, and only then', async () => {
  const whole = await encode('mp3');
  assert.deepEqual(openAudio(whole).warnings, []);
  const tagged = Buffer.concat([whole, Buffer.from('TAG'.padEnd(128, ' '))]);
  assert.deepEqual(openAudio(tagged).warnings, []);
  const cut = openAudio(whole.subarray(0, Math.floor(whole.length * 0.6))).warnings;
  assert.match(cut.join(), /ends inside a frame/);
});

test('truncated files of every format are detected', async () => {
  const files = [
    await readFile(new URL('slow-harbor.ogg', EXAMPLES)),
    await encodeAudio(stereo, SAMPLE_RATE, 'mp3'),
    await encodeAudio(stereo, SAMPLE_RATE, 'flac'),
    encodeWav16(stereo, SAMPLE_RATE),
  ];
  for (const file of files) await assertRejected(file.subarray(0, Math.floor(file.length * 0.6)), 'audio_truncated');
});

test('a file with an overwritten middle is rejected as damaged', async () => {
  for (const name of ['slow-harbor.ogg', 'paper-kites.mp3']) {
    const file = new Uint8Array(await readFile(new URL(name, EXAMPLES)));
    const random = noise(11);
    for (let i = Math.floor(file.length * 0.3); i < file.length * 0.5; i++) file[i] = Math.floor((random() + 1) * 128);
    await assertRejected(file, 'audio_damaged');
  }
});

test('a header without a body is rejected', async () => {
  await assertRejected(encodeWav16(stereo, SAMPLE_RATE).subarray(0, 40), 'audio_damaged');
  await assertRejected((await encodeAudio(stereo, SAMPLE_RATE, 'flac')).subarray(0, 30), 'audio_truncated');
});

test('m4a without ffmpeg on the path fails with audio_needs_ffmpeg', () => {
  // PATH is read when a process starts. Therefore the test runs another one.
  const script = `
    import { decodeAudio } from ${JSON.stringify(new URL('../../audio/decode/decode.ts', import.meta.url).href)};
    const bytes = new Uint8Array(4096);
    bytes.set(new TextEncoder().encode('\\0\\0\\0\\x20ftypM4A '));
    await decodeAudio(bytes).catch((error) => process.stdout.write(error.code));
  `;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, PATH: '/nowhere' },
  });
  assert.equal(run.stdout.toString(), 'audio_needs_ffmpeg');
});

test('Ogg Opus is decoded', async () => {
  const bytes = await readFile(new URL('fixtures/band.opus', import.meta.url));
  const { channels, duration_sec, format, sourceSampleRate } = await decodeAudio(bytes);
  assert.equal(format, 'ogg-opus');
  assert.equal(sourceSampleRate, 48_000);
  assert.ok(Math.abs(duration_sec - 6) < 0.001, `${duration_sec} s`);
  const { samples } = playBand({ bpm: 120, tonic: 0, seconds: 6 });
  assert.ok(similarity(channels[0], samples) > 0.9, `${similarity(channels[0], samples)}`);
  await assertRejected(bytes.subarray(0, bytes.length / 2), 'audio_truncated');
});

test('m4a is decoded if ffmpeg is installed', { skip: !hasFfmpeg && 'no ffmpeg on the path' }, async () => {
  const bytes = await readFile(new URL('fixtures/band.m4a', import.meta.url));
  const { channels, duration_sec, format } = await decodeAudio(bytes);
  assert.equal(format, 'm4a');
  assert.ok(Math.abs(duration_sec - 6) < 0.05, `${duration_sec} s`);
  const { samples } = playBand({ bpm: 120, tonic: 0, seconds: 6 });
  assert.ok(similarity(channels[0], samples) > 0.9);
  const broken = bytes.slice();
  broken.fill(0, 2000, 20_000);
  await decodeAudio(broken).then(
    ({ channels: [left] }) => assert.ok(left.length > 0),
    (error: unknown) => assert.ok(error instanceof AudioError),
  );
});
