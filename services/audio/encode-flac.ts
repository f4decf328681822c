/** FLAC, 16 bit, by libFLAC (WASM). */
import libflac from 'libflacjs';
import { Encoder } from 'libflacjs/lib/encoder.js';
import { type AudioTags, concatBytes, vorbisCommentBlock } from './tags.ts';

const BITS = 16;
const COMPRESSION = 5;
const CHUNK = 1 << 16;
const BLOCK_STREAMINFO = 0;
const BLOCK_VORBIS_COMMENT = 4;

type Flac = ReturnType<typeof libflac>;

let loading: Promise<Flac> | undefined;

/**
 * Loads the library once for each thread. It takes `fetch` for a sign of a browser and would fetch a file path with it,
 * so there is none while it starts.
 */
function load(): Promise<Flac> {
  return (loading ??= new Promise((resolve) => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
    Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true, writable: true });
    try {
      const flac = libflac('release.wasm');
      if (flac.isReady()) resolve(flac);
      else flac.onready = () => resolve(flac);
    } finally {
      if (descriptor) Object.defineProperty(globalThis, 'fetch', descriptor);
    }
  }));
}

/** Writes what is known only at the end (length, checksum) to the stream info, and our comments after it. */
function withMetadata(stream: Uint8Array, samples: number, md5: string | undefined, tags: AudioTags): Uint8Array {
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
      if (md5 !== undefined && /^[0-9a-f]{32}$/i.test(md5)) block.set(Buffer.from(md5, 'hex'), 4 + 18);
    }
    if (type !== BLOCK_VORBIS_COMMENT) blocks.push(block);
    at += 4 + length;
  }
  const comments = vorbisCommentBlock(tags);
  comments[0]! |= 0x80;
  return concatBytes([magic, ...blocks, comments, stream.subarray(at)]);
}

/** Encodes channels (-1..1; beyond is clipped) to 16-bit FLAC. */
export async function encodeFlac(channels: Float32Array[], sampleRate: number, tags: AudioTags): Promise<Uint8Array> {
  const flac = await load();
  const frames = channels[0]?.length ?? 0;
  const encoder = new Encoder(flac, {
    sampleRate,
    channels: channels.length,
    bitsPerSample: BITS,
    compression: COMPRESSION,
    totalSamples: frames,
    verify: false,
  });
  try {
    for (let at = 0; at < frames; at += CHUNK) {
      const count = Math.min(CHUNK, frames - at);
      const block = channels.map((samples) => {
        const ints = new Int32Array(count);
        for (let i = 0; i < count; i++) {
          ints[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[at + i]! * 32_767)));
        }
        return ints;
      });
      if (!encoder.encode(block, count, false)) throw new Error(`libFLAC stopped in state ${encoder.getState()}`);
    }
    encoder.encode();
    return withMetadata(encoder.getSamples(), frames, encoder.metadata?.md5sum, tags);
  } finally {
    encoder.destroy();
  }
}
