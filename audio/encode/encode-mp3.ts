/** Encodes MP3 with LAME (WASM) and adds the header frame for gapless playback. */
import { createMp3Encoder } from 'wasm-media-encoders';
import { type AudioTags, concatBytes, id3 } from './tags.ts';

/** Constant bit rate: transparent for mixes, and allows exact seeking. */
const MP3_KBPS = 320;

const SAMPLES_PER_FRAME = 1152;
/** Samples that LAME adds before the signal. Decoders add another 529 and remove both if the header declares them. */
const ENCODER_DELAY = 576;
const DECODER_DELAY = 529;
const CHUNK = SAMPLES_PER_FRAME * 200;

/** CRC-16 of the LAME tag (polynomial 0x8005, reflected). */
function crc16(bytes: Uint8Array, start = 0): number {
  let crc = start;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

/** Length in bytes of an MPEG-1 layer III frame, from its header. */
function frameLength(header: Uint8Array): number {
  const kbps = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][header[2]! >> 4] ?? 0;
  const sampleRate = [44_100, 48_000, 32_000][(header[2]! >> 2) & 3] ?? 44_100;
  return Math.floor((144_000 * kbps) / sampleRate) + ((header[2]! >> 1) & 1);
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

/**
 * Encodes one or two equally long channels (-1..1) as MP3 with a constant bit rate of 320 kbit/s.
 * @param sampleRate 32000, 44100 or 48000 (MPEG-1)
 */
export async function encodeMp3(
  channels: Float32Array[],
  sampleRate: number,
  tags: AudioTags,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: channels.length === 1 ? 1 : 2, sampleRate, bitrate: MP3_KBPS });
  const frames = channels[0]?.length ?? 0;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < frames; at += CHUNK) {
    parts.push(encoder.encode(channels.map((samples) => samples.subarray(at, at + CHUNK))).slice());
  }
  // Padding for the decoder's delay. Without it the last samples would be lost.
  parts.push(encoder.encode(channels.map(() => new Float32Array(DECODER_DELAY + SAMPLES_PER_FRAME))).slice());
  parts.push(encoder.finalize().slice());
  const stream = concatBytes(parts);
  return concatBytes([id3(tags), infoFrame(stream, frames), stream]);
}
