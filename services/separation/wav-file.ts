/** A 16-bit stereo WAV file at 44.1 kHz whose length is known only at its end. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { WAV16_HEADER_BYTES, wav16Header, writeWav16Frames } from '../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';

const CHANNELS = 2;

/** Writes a file in the thread that separates, whose work waits for nothing else. */
export class WavFile {
  readonly #path: string;
  readonly #file: number;
  #frames = 0;

  /** Creates the file. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w');
    writeSync(this.#file, wav16Header(0, CHANNELS, SAMPLE_RATE));
  }

  /** Appends equally long channels. */
  write(channels: readonly Float32Array[]): void {
    const count = channels[0]!.length;
    const samples = new Int16Array(count * CHANNELS);
    writeWav16Frames(samples, 0, channels);
    writeSync(this.#file, new Uint8Array(samples.buffer));
    this.#frames += count;
  }

  /** Writes the length and closes the file. Returns its path. */
  finish(): string[] {
    writeSync(this.#file, wav16Header(this.#frames, CHANNELS, SAMPLE_RATE), 0, WAV16_HEADER_BYTES, 0);
    closeSync(this.#file);
    return [this.#path];
  }
}
