/** Writes a 16-bit FLAC file with a build of libFLAC that the caller provides. Runs in Node and in browsers. */
import type libflac from 'libflacjs';
import { type AudioTags, concatBytes, vorbisCommentBlock } from './tags.ts';

const BITS = 16;
const COMPRESSION = 5;
const CHUNK = 1 << 16;
const BLOCK_VORBIS_COMMENT = 4;

/** The beginning of a stream that `patchFlacHead` changes: its mark and its stream info. */
export const FLAC_HEAD_BYTES = 42;

/** A loaded libFLAC module. */
export type Flac = ReturnType<typeof libflac>;
/** A compression level of libFLAC: 0 is the fastest, 8 gives the smallest file. */
export type FlacCompression = Parameters<Flac['create_libflac_encoder']>[3];

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/**
 * Writes length and checksum to the beginning of a stream.
 * @param head the first `FLAC_HEAD_BYTES` of the stream, or more: its stream info, which always comes first
 */
export function patchFlacHead(head: Uint8Array, { frames, md5 }: FlacEnd): void {
  const info = 8;
  // 36 bits of length: four after the bit depth, then 32.
  head[info + 13]! = (head[info + 13]! & 0xf0) | (Math.floor(frames / 2 ** 32) & 0xf);
  new DataView(head.buffer, head.byteOffset).setUint32(info + 14, frames >>> 0);
  if (md5 !== undefined && /^[0-9a-f]{32}$/i.test(md5)) head.set(bytesOf(md5), info + 18);
}

/** Appends the tags to the metadata of a stream, and writes its length and checksum. */
function withMetadata(stream: Uint8Array<ArrayBuffer>, end: FlacEnd, tags: AudioTags): Uint8Array<ArrayBuffer> {
  patchFlacHead(stream, end);
  const magic = stream.subarray(0, 4);
  const blocks: Uint8Array[] = [];
  let at = 4;
  for (let last = false; !last;) {
    const type = stream[at]! & 0x7f;
    last = (stream[at]! & 0x80) !== 0;
    const length = (stream[at + 1]! << 16) | (stream[at + 2]! << 8) | stream[at + 3]!;
    const block = stream.slice(at, at + 4 + length);
    block[0] = type;
    if (type !== BLOCK_VORBIS_COMMENT) blocks.push(block);
    at += 4 + length;
  }
  const comments = vorbisCommentBlock(tags);
  comments[0]! |= 0x80;
  return concatBytes([magic, ...blocks, comments, stream.subarray(at)]);
}

/**
 * Writes 16-bit samples of a channel to every `step`-th place from `at` on, rounded half up. Numbers are made positive for rounding:
 * truncation is an instruction of the processor.
 */
function interleave(samples: Float32Array, target: Int32Array, at: number, step: number): void {
  for (let i = 0; i < samples.length; i++, at += step) {
    const value = samples[i]! * 32_768;
    target[at] = value >= 32_767 ? 32_767 : value <= -32_768 ? -32_768 : ((value + 32_768.5) | 0) - 32_768;
  }
}

/** Length and checksum of a FLAC stream, which are known only at its end. Both belong into its stream info. */
export type FlacEnd = { frames: number; md5: string | undefined };

/**
 * Encodes a 16-bit FLAC stream from samples that arrive in pieces, with a libFLAC that is ready. `close` must be called in any
 * case: it releases the encoder.
 */
export class FlacStreamEncoder {
  readonly #flac: Flac;
  readonly #encoder: number;
  #interleaved = new Int32Array(0);
  #md5: string | undefined;
  #frames = 0;

  /**
   * @param options.compression 0 (fastest) to 8
   * @param options.onData receives the stream, piece by piece. The last block of samples arrives with `finish`
   * @throws Error if libFLAC cannot start
   */
  constructor(
    flac: Flac,
    options: {
      sampleRate: number;
      channels: number;
      compression?: FlacCompression;
      onData: (bytes: Uint8Array<ArrayBuffer>) => void;
    },
  ) {
    const { sampleRate, channels, compression = COMPRESSION, onData } = options;
    this.#flac = flac;
    this.#encoder = flac.create_libflac_encoder(sampleRate, channels, BITS, compression, 0, false);
    const state = flac.init_encoder_stream(
      this.#encoder,
      (data) => onData(data),
      (metadata) => void (this.#md5 = metadata?.md5sum),
    );
    if (this.#encoder !== 0 && state === 0) return;
    this.close();
    throw new Error(`libFLAC cannot start: state ${state}`);
  }

  /**
   * Encodes equally long channels (-1..1; values beyond are clipped). Samples are rounded as in a 16-bit WAV file.
   * @throws Error if libFLAC fails
   */
  write(channels: readonly Float32Array[]): void {
    const count = channels[0]?.length ?? 0;
    const size = count * channels.length;
    if (this.#interleaved.length < size) this.#interleaved = new Int32Array(size);
    const interleaved = this.#interleaved.subarray(0, size);
    channels.forEach((samples, channel) => interleave(samples, interleaved, channel, channels.length));
    if (!this.#flac.FLAC__stream_encoder_process_interleaved(this.#encoder, interleaved, count))
      throw new Error(`libFLAC stopped in state ${this.#flac.FLAC__stream_encoder_get_state(this.#encoder)}`);
    this.#frames += count;
  }

  /** Encodes what is left. Nothing can be written afterwards. */
  finish(): FlacEnd {
    this.#flac.FLAC__stream_encoder_finish(this.#encoder);
    return { frames: this.#frames, md5: this.#md5 };
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
  compression?: FlacCompression,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const onData = (bytes: Uint8Array): void => void parts.push(bytes);
  const encoder = new FlacStreamEncoder(flac, { sampleRate, channels: channels.length, compression, onData });
  try {
    const frames = channels[0]?.length ?? 0;
    for (let at = 0; at < frames; at += CHUNK)
      encoder.write(channels.map((samples) => samples.subarray(at, at + CHUNK)));
    const end = encoder.finish();
    return withMetadata(concatBytes(parts), end, tags);
  } finally {
    encoder.close();
  }
}
