/** Which files the page converts before their upload, and to what. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import type { OutputFormat } from '../../schema.ts';
import { UPLOAD_MAX_BYTES } from '../../schema/constants.ts';
import { needsConversion, prepareUpload } from '../../packages/react/audio/prepare-upload.ts';
import type { BrowserAudio } from '../../packages/react/audio/prepare-upload.ts';

const m4a = new File([await readFile(join(import.meta.dirname, '../audio-in/fixtures/band.m4a'))], 'My Song.m4a');
/** Two ADTS headers in a row, each of a frame of eight bytes. */
const ADTS_FRAME = [0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfc, 0x00];
const aac = new File([Uint8Array.from([...ADTS_FRAME, ...ADTS_FRAME, ...ADTS_FRAME])], 'radio.aac');
const wav = new File([encodeWav16([new Float32Array(44_100)], 44_100)], 'named.m4a');

/** A browser that decodes to three channels and encodes to files of the given sizes. */
function browser(changes: Partial<BrowserAudio> = {}, flacBytes = 1_000): BrowserAudio & { encoded: string[] } {
  const encoded: string[] = [];
  return {
    encoded,
    duration: () => Promise.resolve(200),
    decode: () => Promise.resolve([1, 2, 3].map(() => new Float32Array(8))),
    encode(channels: Float32Array[], format: OutputFormat) {
      encoded.push(`${format} of ${channels.length}`);
      return Promise.resolve(new Uint8Array(format === 'flac' ? flacBytes : 2_000));
    },
    ...changes,
  };
}

test('files are converted by their content: m4a and AAC are, a WAV with the name of one is not', async () => {
  assert.deepEqual(await Promise.all([m4a, aac, wav].map(needsConversion)), [true, true, false]);
});

test('a song becomes a FLAC of the same name', async () => {
  const page = browser();
  const { fileName, body } = await prepareUpload(m4a, page);
  assert.deepEqual(
    [fileName, body.type, body.size, page.encoded],
    ['My Song.flac', 'audio/flac', 1_000, ['flac of 3']],
  );
});

test('a song whose FLAC is too large becomes a stereo MP3', async () => {
  const page = browser({}, UPLOAD_MAX_BYTES + 1);
  const { fileName, body } = await prepareUpload(aac, page);
  assert.deepEqual([fileName, body.type, page.encoded], ['radio.mp3', 'audio/mpeg', ['flac of 3', 'mp3 of 2']]);
});

test('a song that the browser cannot decode, or that is too long to decode, is uploaded as it is', async () => {
  for (const page of [
    browser({ duration: () => Promise.resolve(undefined) }),
    browser({ duration: () => Promise.resolve(901), decode: () => Promise.reject(new Error('not called')) }),
    browser({ decode: () => Promise.reject(new DOMException('Unable to decode', 'EncodingError')) }),
  ]) {
    const { fileName, body } = await prepareUpload(m4a, page);
    assert.deepEqual([fileName, body], ['My Song.m4a', m4a]);
    assert.deepEqual(page.encoded, []);
  }
});
