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
/** A compression level of libFLAC: 0 is the fastest, 8 gives the smallest file. */
export type FlacCompression = Parameters<Flac['create_libflac_encoder']>[3];

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
 * Encodes one 16-bit FLAC file from samples that arrive in pieces, with a libFLAC that is ready. `close` must be called in any
 * case: it releases the encoder.
 */
export class FlacFileWriter {
  readonly #flac: Flac;
  readonly #encoder: number;
  readonly #parts: Uint8Array[] = [];
  #md5: string | undefined;
  #frames = 0;
  #bytes = 0;

  /**
   * @param options.compression 0 (fastest) to 8
   * @throws Error if libFLAC cannot start
   */
  constructor(
    flac: Flac,
    options: { sampleRate: number; channels: number; compression?: FlacCompression; frames?: number },
  ) {
    const { sampleRate, channels, compression = COMPRESSION, frames = 0 } = options;
    this.#flac = flac;
    this.#encoder = flac.create_libflac_encoder(sampleRate, channels, BITS, compression, frames, false);
    const state = flac.init_encoder_stream(
      this.#encoder,
      (data) => {
        this.#parts.push(data);
        this.#bytes += data.length;
      },
      (metadata) => void (this.#md5 = metadata?.md5sum),
    );
    if (this.#encoder !== 0 && state === 0) return;
    this.close();
    throw new Error(`libFLAC cannot start: state ${state}`);
  }

  /** Frames that were written. */
  get frames(): number {
    return this.#frames;
  }

  /** Bytes that are encoded so far. The last block of samples may be missing in them. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Encodes interleaved 16-bit samples.
   * @param count number of frames in `interleaved`
   * @throws Error if libFLAC fails
   */
  write(interleaved: Int32Array<ArrayBuffer>, count: number): void {
    if (!this.#flac.FLAC__stream_encoder_process_interleaved(this.#encoder, interleaved, count))
      throw new Error(`libFLAC stopped in state ${this.#flac.FLAC__stream_encoder_get_state(this.#encoder)}`);
    this.#frames += count;
  }

  /** Encodes what is left and returns the whole file. Nothing can be written afterwards. */
  finish(tags: AudioTags = {}): Uint8Array<ArrayBuffer> {
    this.#flac.FLAC__stream_encoder_finish(this.#encoder);
    return withMetadata(concatBytes(this.#parts), this.#frames, this.#md5, tags);
  }

  /** Releases the encoder. */
  close(): void {
    this.#flac.FLAC__stream_encoder_delete(this.#encoder);
  }
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
  const writer = new FlacFileWriter(flac, { sampleRate, channels: channels.length, frames });
  try {
    for (let at = 0; at < frames; at += CHUNK) {
      const count = Math.min(CHUNK, frames - at);
      const block = new Int32Array(count * channels.length);
      channels.forEach((samples, channel) => {
        for (let i = 0; i < count; i++) {
          const value = Math.round(samples[at + i]! * 32_768);
          block[i * channels.length + channel] = Math.max(-32_768, Math.min(32_767, value));
        }
      });
      writer.write(block, count);
    }
    return writer.finish(tags);
  } finally {
    writer.close();
  }
}
