/** Writes FLAC files of 4 to 32 bits, with fixed prediction of the first order. */
import { flacCrc16, flacCrc8 } from '../../../audio/decode/flac-frames.ts';

const BLOCK = 4_096;
/** Behind the unary part of a number. */
const MAX_PARAMETER = 30;

/** Writes numbers of any number of bits, highest bit first. */
class BitWriter {
  readonly bytes: number[] = [];
  #byte = 0;
  #count = 0;

  write(value: number, bits: number): void {
    let rest = bits;
    while (rest > 0) {
      const taken = Math.min(rest, 8 - this.#count);
      rest -= taken;
      this.#byte = (this.#byte << taken) | (Math.floor(value / 2 ** rest) & ((1 << taken) - 1));
      this.#count += taken;
      if (this.#count < 8) continue;
      this.bytes.push(this.#byte);
      this.#byte = 0;
      this.#count = 0;
    }
  }

  /** Writes a signed number (two's complement). */
  signed(value: number, bits: number): void {
    this.write(value < 0 ? value + 2 ** bits : value, bits);
  }

  align(): void {
    if (this.#count > 0) this.write(0, 8 - this.#count);
  }
}

/** Writes a subframe: a first sample, and the Rice-coded differences of the others. */
function writeSubframe(out: BitWriter, samples: readonly number[], bits: number): void {
  // Fixed prediction of order 1 has type 9; no bits are wasted.
  out.write(9 << 1, 8);
  out.signed(samples[0]!, bits);
  const errors = samples.slice(1).map((value, i) => value - samples[i]!);
  const mean = errors.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, errors.length);
  const parameter = Math.max(0, Math.min(MAX_PARAMETER, Math.round(Math.log2(mean + 1))));
  // Coding with parameters of 5 bits, in one partition.
  out.write(1, 2);
  out.write(0, 4);
  out.write(parameter, 5);
  for (const error of errors) {
    const folded = error >= 0 ? 2 * error : -2 * error - 1;
    const upper = Math.floor(folded / 2 ** parameter);
    out.write(0, upper);
    out.write(1, 1);
    out.write(folded % 2 ** parameter, parameter);
  }
}

/** Integers as they are stored in a file of `bits` bits. */
export function toIntegers(samples: Float32Array, bits: number): number[] {
  const full = 2 ** (bits - 1);
  return Array.from(samples, (value) => Math.max(-full, Math.min(full - 1, Math.round(value * full))));
}

/** Writes a FLAC file with `bits` bits for each sample. */
export function writeFlacOf(channels: readonly Float32Array[], sampleRate: number, bits: number): Uint8Array {
  const integers = channels.map((samples) => toIntegers(samples, bits));
  const total = integers[0]!.length;
  const info = new BitWriter();
  for (const size of [BLOCK, BLOCK]) info.write(size, 16);
  for (const size of [0, 0]) info.write(size, 24);
  info.write(sampleRate, 20);
  info.write(channels.length - 1, 3);
  info.write(bits - 1, 5);
  info.write(total, 36);
  for (let i = 0; i < 4; i++) info.write(0, 32);
  const parts = [Buffer.from('fLaC', 'latin1'), Buffer.from([0x80, 0, 0, 34]), Buffer.from(info.bytes)];
  for (let at = 0, number = 0; at < total; at += BLOCK, number++) {
    const frame = new BitWriter();
    const count = Math.min(BLOCK, total - at);
    frame.write(0xfff8, 16);
    // Block length and rate: 16 bits of length follow; the rate and the bits are those of the stream.
    frame.write(0x70, 8);
    frame.write(channels.length - 1, 4);
    frame.write(0, 4);
    if (number < 0x80) frame.write(number, 8);
    else frame.write(0xc080 + ((number >> 6) << 8) + (number & 63), 16);
    frame.write(count - 1, 16);
    frame.write(flacCrc8(Uint8Array.from(frame.bytes), 0, frame.bytes.length), 8);
    for (const samples of integers) writeSubframe(frame, samples.slice(at, at + count), bits);
    frame.align();
    frame.write(flacCrc16(Uint8Array.from(frame.bytes), 0, frame.bytes.length), 16);
    parts.push(Buffer.from(frame.bytes));
  }
  return new Uint8Array(Buffer.concat(parts));
}
