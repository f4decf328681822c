/** Encodes MP3 with LAME (WASM) and adds the header frame for gapless playback. */
import {
  encodeMp3Part,
  frameLength,
  joinMp3Parts,
  MP3_KBPS,
  type Mp3Part,
  mp3Parts,
  SAMPLES_PER_FRAME,
} from './mp3-parts.ts';
import { type AudioTags, concatBytes, id3 } from './tags.ts';

/** Samples that LAME adds before the signal. Decoders add more and remove both if the header declares them. */
const ENCODER_DELAY = 576;

const CRC16 = Uint16Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

/** CRC-16 of the LAME tag (polynomial 0x8005, reflected). */
function crc16(bytes: Uint8Array, start = 0): number {
  let crc = start;
  for (let i = 0; i < bytes.length; i++) crc = (crc >> 8) ^ CRC16[(crc ^ bytes[i]!) & 0xff]!;
  return crc;
}

/**
 * The Info frame (Xing header with LAME extension, see the LAME tag specification): number of frames and bytes, seek table, and
 * the number of samples to drop at both ends.
 */
function infoFrame(stream: Uint8Array, samples: number): Uint8Array {
  const header = stream.slice(0, 4);
  header[2]! &= ~2;
  // The stream has no checksums (protection bit 1): the side information follows the header directly.
  const mono = header[3]! >> 6 === 3;
  const frame = new Uint8Array(frameLength(header));
  const view = new DataView(frame.buffer);
  let frames = 0;
  for (let at = 0; at + 4 <= stream.length; at += frameLength(stream.subarray(at, at + 4))) frames++;

  frame.set(header);
  const tag = 4 + (mono ? 17 : 32);
  frame.set(new TextEncoder().encode('Info'), tag);
  view.setUint32(tag + 4, 0b1111);
  view.setUint32(tag + 8, frames);
  view.setUint32(tag + 12, stream.length + frame.length);
  for (let i = 0; i < 100; i++) frame[tag + 16 + i] = Math.floor((i * 256) / 100);
  view.setUint32(tag + 116, 0);

  const lame = tag + 120;
  frame.set(new TextEncoder().encode('LAME3.100'), lame);
  frame[lame + 9] = 0x01;
  const padding = Math.max(0, Math.min(4095, frames * SAMPLES_PER_FRAME - ENCODER_DELAY - samples));
  frame[lame + 20] = MP3_KBPS > 255 ? 255 : MP3_KBPS;
  frame[lame + 21] = ENCODER_DELAY >> 4;
  frame[lame + 22] = ((ENCODER_DELAY & 0xf) << 4) | (padding >> 8);
  frame[lame + 23] = padding & 0xff;
  view.setUint32(lame + 28, stream.length + frame.length);
  view.setUint16(lame + 32, crc16(stream));
  view.setUint16(lame + 34, crc16(frame.subarray(0, lame + 34)));
  return frame;
}

/** Encodes a part of a stream, as `encodeMp3Part` does. */
export type EncodePart = (part: Mp3Part) => Promise<Uint8Array>;

/**
 * Makes an MP3 file of so many samples from its parts, which are encoded at the same time.
 * @param tags may become known while parts are encoded
 * @param encodePart encodes a part of the samples
 */
export async function writeMp3(
  samples: number,
  tags: AudioTags | Promise<AudioTags>,
  encodePart: EncodePart,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = mp3Parts(samples);
  const joined = joinMp3Parts(parts, await Promise.all(parts.map(encodePart)));
  const stream = joined ?? (await encodePart({ from: 0, to: null }));
  return concatBytes([id3(await tags), infoFrame(stream, samples), stream]);
}

/**
 * Encodes one or two equally long channels (-1..1) as MP3 with a constant bit rate of 320 kbit/s.
 * @param sampleRate 32000, 44100 or 48000 (MPEG-1)
 */
export async function encodeMp3(
  channels: Float32Array[],
  sampleRate: number,
  tags: AudioTags,
): Promise<Uint8Array<ArrayBuffer>> {
  const samples = channels[0]?.length ?? 0;
  const stream = await encodeMp3Part(channels, sampleRate, { from: 0, to: null });
  return concatBytes([id3(tags), infoFrame(stream, samples), stream]);
}
