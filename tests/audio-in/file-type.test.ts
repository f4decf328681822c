import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectFileType, FILE_TYPE_BYTES, isAudioType } from '../../audio/decode/detect.ts';
import { encodeWav16, parseWav, readWavHeader, WAV_HEADER_BYTES } from '../../audio/decode/wav.ts';
import { songFiles } from './songs.ts';

const RATE = 8_000;
const wavFile = (seconds: number): Buffer => Buffer.from(encodeWav16([new Float32Array(seconds * RATE)], RATE));

test('file types are detected from the first bytes', () => {
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
  const types = {
    wav: [wavFile(1), latin1('RF64\0\0\0\0WAVE')],
    flac: [latin1('fLaC\0\0')],
    ogg: [latin1('OggS\0\0')],
    m4a: [latin1('\0\0\0\x20ftypM4A ')],
    mp3: [Buffer.from([0xff, 0xfb, 0x90, 0x00]), latin1('ID3\x04\0\0\0\0\x7f\x7f')],
    aac: [Buffer.from([0xff, 0xf1, 0x50, 0x80])],
    aiff: [latin1('FORM\0\0\0\0AIFF')],
    wma: [latin1('\x30\x26\xb2\x75\x8e\x66')],
    webm: [latin1('\x1a\x45\xdf\xa3')],
    text: [Buffer.from('Bonjour, çà va ? '.repeat(50))],
    document: [latin1('%PDF-1.7'), latin1('PK\x03\x04'), latin1('\xd0\xcf\x11\xe0')],
    picture: [latin1('\x89PNG\r\n'), latin1('GIF89a'), latin1('\xff\xd8\xff\xe0'), latin1('RIFF\0\0\0\0WEBP')],
    empty: [Buffer.alloc(0)],
    unknown: [Buffer.from([0, 1, 2, 3])],
  };
  for (const [type, files] of Object.entries(types)) {
    for (const bytes of files) assert.equal(detectFileType(bytes), type);
  }
});

test('every readable format is detected as audio from its first bytes', async () => {
  for (const { name, bytes } of await songFiles()) {
    const type = detectFileType(bytes.subarray(0, FILE_TYPE_BYTES));
    assert.ok(isAudioType(type) && type !== 'unknown', `${name}: ${type}`);
    assert.equal(type, detectFileType(bytes), name);
  }
});

test('text cut inside a character is still text, and text is not audio', () => {
  const text = Buffer.from('ä'.repeat(400));
  assert.equal(detectFileType(text.subarray(0, FILE_TYPE_BYTES - 1)), 'text');
  assert.equal(isAudioType('text'), false);
});

test('the duration of a WAV file is read from its header, or from the file size if no length is declared', () => {
  const file = wavFile(3);
  assert.equal(readWavHeader(file, file.length)?.durationSec, 3);
  for (const length of [0, 0xffffffff, 0x7fffffff]) {
    file.writeUInt32LE(length, 40);
    assert.equal(readWavHeader(file.subarray(0, 100), file.length)?.durationSec, 3);
  }
  assert.equal(readWavHeader(wavFile(0), 44)?.durationSec, 0);
  assert.equal(readWavHeader(Buffer.from('no sound'), 8), undefined);
});

test('the header of a truncated WAV file gives the length of the samples that are present', () => {
  const header = readWavHeader(wavFile(3).subarray(0, 100), 44 + RATE * 2);
  assert.deepEqual(header, { sampleRate: RATE, channels: 1, dataBytes: RATE * 2, durationSec: 1 });
});

test('the header reader and the decoder agree on an RF64 file with a chunk behind its samples', () => {
  const plain = wavFile(1);
  const ds64 = Buffer.alloc(8 + 28);
  ds64.write('ds64', 0, 'latin1');
  ds64.writeUInt32LE(28, 4);
  ds64.writeBigUInt64LE(BigInt(RATE * 2), 16);
  const file = Buffer.concat([plain.subarray(0, 12), ds64, plain.subarray(12), Buffer.from('LIST\x04\0\0\0INFO')]);
  file.write('RF64', 0, 'latin1');
  file.writeUInt32LE(0xffffffff, 12 + ds64.length + 28);
  const header = readWavHeader(file.subarray(0, WAV_HEADER_BYTES), file.length);
  assert.equal(header?.dataBytes, RATE * 2);
  assert.equal(header?.durationSec, parseWav(file).frames / RATE);
});
