/** Encodes samples as a file in one of the delivered formats. */
import type { OutputFormat } from '../../schema.ts';
import { encodeFlac } from './encode-flac.ts';
import { encodeMp3 } from './encode-mp3.ts';
import { type AudioTags, concatBytes, riffInfoChunk } from './tags.ts';
import { encodeWav16 } from './encode-wav.ts';

/** MIME type of each output format. */
export const CONTENT_TYPES: Record<OutputFormat, string> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
};

function encodeWav(channels: Float32Array[], sampleRate: number, tags: AudioTags): Uint8Array<ArrayBuffer> {
  const file = concatBytes([encodeWav16(channels, sampleRate), riffInfoChunk(tags)]);
  new DataView(file.buffer).setUint32(4, file.length - 8, true);
  return file;
}

/**
 * Encodes equally long channels (-1..1 is full scale) as 16-bit WAV, 16-bit FLAC or 320 kbit/s MP3 with gapless header,
 * with title and artist. Equal input gives equal bytes.
 */
export async function encodeAudio(
  channels: Float32Array[],
  sampleRate: number,
  format: OutputFormat,
  tags: AudioTags = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (format === 'flac') return encodeFlac(channels, sampleRate, tags);
  if (format === 'mp3') return encodeMp3(channels, sampleRate, tags);
  return encodeWav(channels, sampleRate, tags);
}
