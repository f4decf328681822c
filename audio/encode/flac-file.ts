/** Writes a 16-bit FLAC file with a build of libFLAC that the caller provides. Runs in Node and in browsers. */
import type libflac from 'libflacjs';
import { type AudioTags, concatBytes, vorbisCommentBlock } from './tags.ts';

const BITS = 16;
const COMPRESSION = 5;
const CHUNK = 1 << 16;
const BLOCK_STREAMINFO = 0;
const BLOCK_VORBIS_COMMENT = 4;

/** A loaded libFLAC module. */
export type Flac = ReturnType<typeof libflac>;

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Writes length and checksum, which are known only at the end, to the stream info and appends the tags. */
function withMetadata(
  stream: Uint8Array,
  samples: number,
  md5: string | undefined,
  tags: AudioTags,
): Uint8Array<ArrayBuffer> {
  const magic = stream.subarray(0, 4);
  const blocks: Uint8Array[] = [];
  let at = 4;
  for (let last = false; !last;) {
    const type = stream[at]! & 0x7f;
    last = (stream[at]! & 0x80) !== 0;
    const length = (stream[at + 1]! << 16) | (stream[at + 2]! << 8) | stream[at + 3]!;
    const block = stream.slice(at, at + 4 + length);
    block[0] = type;
    if (type === BLOCK_STREAMINFO) {
      // 36 bits of length: four after the bit depth, then 32.
      block[4 + 13]! = (block[4 + 13]! & 0xf0) | (Math.floor(samples / 2 ** 32) & 0xf);
      new DataView(block.buffer).setUint32(4 + 14, samples >>> 0);
      if (md5 !== undefined && /^[0-9a-f]{32}$/i.test(md5)) block.set(bytesOf(md5), 4 + 18);
    }
    if (type !== BLOCK_VORBIS_COMMENT) blocks.push(block);
    at += 4 + length;
  }
  const comments = vorbisCommentBlock(tags);
  comments[0]! |= 0x80;
  return concatBytes([magic, ...blocks, comments, stream.subarray(at)]);
}

/**
 * Encodes equally long channels (-1..1; values beyond are clipped) as 16-bit FLAC with a libFLAC that is ready. Samples are
 * rounded as in a 16-bit WAV file.
 * @throws Error if libFLAC cannot start or fails
 */
export function writeFlac(
  flac: Flac,
  channels: readonly Float32Array[],
  sampleRate: number,
  tags: AudioTags,
): Uint8Array<ArrayBuffer> {
  const frames = channels[0]?.length ?? 0;
  const parts: Uint8Array[] = [];
  let md5: string | undefined;
  const encoder = flac.create_libflac_encoder(sampleRate, channels.length, BITS, COMPRESSION, frames, false);
  try {
    const state = flac.init_encoder_stream(
      encoder,
      (data) => void parts.push(data),
      (metadata) => void (md5 = metadata?.md5sum),
    );
    if (encoder === 0 || state !== 0) throw new Error(`libFLAC cannot start: state ${state}`);
    for (let at = 0; at < frames; at += CHUNK) {
      const count = Math.min(CHUNK, frames - at);
      const block = channels.map((samples) => {
        const ints = new Int32Array(count);
        for (let i = 0; i < count; i++) {
          ints[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[at + i]! * 32_768)));
        }
        return ints;
      });
      if (!flac.FLAC__stream_encoder_process(encoder, block, count))
        throw new Error(`libFLAC stopped in state ${flac.FLAC__stream_encoder_get_state(encoder)}`);
    }
    flac.FLAC__stream_encoder_finish(encoder);
    return withMetadata(concatBytes(parts), frames, md5, tags);
  } finally {
    flac.FLAC__stream_encoder_delete(encoder);
  }
}
