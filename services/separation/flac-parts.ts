/**
 * Consecutive 16-bit stereo FLAC files at 44.1 kHz of a limited size. Each is a complete file, and together they have the samples
 * of the stem.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { FLAC_HEAD_BYTES, patchFlacHead } from '../../audio/encode/flac-file.ts';
import type { FlacStreamEncoder } from '../../audio/encode/flac-file.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { STEM_PART_RESERVE_BYTES } from '../../schema.ts';

const CHANNELS = 2;
/**
 * The size of a part is checked after each piece of this many frames: parts end with a whole block of 4,096 frames. The decoder
 * loses some shorter last blocks (of two or three frames at full scale), and what follows would be early.
 */
const PIECE_FRAMES = 16_384;
/** Level 5 takes 1.6 times as long, and its files are 6 % smaller. Lower levels save no time of encoding and decoding together. */
const COMPRESSION = 3;

type OpenEncoder = (options: ConstructorParameters<typeof FlacStreamEncoder>[1]) => FlacStreamEncoder;

/** A part that is being written. */
type Part = { encoder: FlacStreamEncoder; file: number; head: Uint8Array; bytes: number; frames: number };

/** Writes the parts in the thread that separates, whose work waits for nothing else. */
export class FlacParts {
  readonly #openEncoder: OpenEncoder;
  readonly #pathOf: (part: number) => string;
  readonly #partBytes: number;
  readonly #paths: string[] = [];
  #part: Part | undefined;

  /** @param pathOf path of part 0, 1 and so on; @param partBytes size of the largest part */
  constructor(openEncoder: OpenEncoder, pathOf: (part: number) => string, partBytes: number) {
    this.#openEncoder = openEncoder;
    this.#pathOf = pathOf;
    this.#partBytes = partBytes;
  }

  /** Appends equally long channels. */
  write(channels: readonly Float32Array[]): void {
    const total = channels[0]!.length;
    for (let at = 0; at < total;) {
      const part = (this.#part ??= this.#open());
      const frames = Math.min(PIECE_FRAMES - (part.frames % PIECE_FRAMES), total - at);
      part.encoder.write(channels.map((samples) => samples.subarray(at, at + frames)));
      part.frames += frames;
      at += frames;
      const isFull = part.bytes > this.#partBytes - STEM_PART_RESERVE_BYTES;
      if (isFull && part.frames % PIECE_FRAMES === 0) this.#close(part);
    }
  }

  /** Ends the last part. Returns the paths of all, in order. */
  finish(): string[] {
    if (this.#part) this.#close(this.#part);
    return this.#paths;
  }

  #open(): Part {
    const path = this.#pathOf(this.#paths.length);
    this.#paths.push(path);
    const part = { file: openSync(path, 'w'), head: new Uint8Array(FLAC_HEAD_BYTES), bytes: 0, frames: 0 };
    const encoder = this.#openEncoder({
      sampleRate: SAMPLE_RATE,
      channels: CHANNELS,
      compression: COMPRESSION,
      onData(bytes) {
        if (part.bytes < FLAC_HEAD_BYTES) part.head.set(bytes.subarray(0, FLAC_HEAD_BYTES - part.bytes), part.bytes);
        part.bytes += bytes.length;
        writeSync(part.file, bytes);
      },
    });
    return Object.assign(part, { encoder });
  }

  #close(part: Part): void {
    const end = part.encoder.finish();
    part.encoder.close();
    patchFlacHead(part.head, end);
    writeSync(part.file, part.head, 0, FLAC_HEAD_BYTES, 0);
    closeSync(part.file);
    this.#part = undefined;
  }
}
