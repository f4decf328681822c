/**
 * Decodes FLAC frames of 4 to 32 bits (RFC 9639). libFLAC 1.3 in WebAssembly reads 8, 16 and 24 bits alone; this decoder reads all, and is
 * exact: sums of up to 53 bits are computed in double precision.
 */
import { BitReader } from './flac-bits.ts';

/** The header of a frame. */
export type FlacFrameHeader = {
  /** Where the frame starts and its subframes start, in bytes. */
  start: number;
  body: number;
  samples: number;
  /** Number of the frame, or of its first sample if `isSampleNumber`. */
  number: number;
  isSampleNumber: boolean;
  channels: number;
  /** How the channels are coded: 0 independent, 1 left and side, 2 side and right, 3 mid and side. */
  decorrelation: number;
  bits: number;
};

/**
 * A decoded frame: integers of `bits` bits for each channel. `end` is the index of the byte behind it. `number` is that of the frame,
 * or of its first sample if `isSampleNumber`.
 */
export type FlacFrame = { channels: Samples[]; bits: number; end: number; number: number; isSampleNumber: boolean };

/** Integers. Int32Array holds those of up to 25 bits, the widest that a side channel of 24 bits needs. */
type Samples = Int32Array | Float64Array;

const BITS_OF_CODE = [0, 8, 12, -1, 16, 20, 24, 32] as const;
const FIXED_PREDICTORS: readonly (readonly number[])[] = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

const CRC8 = Uint8Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x80 ? 0x07 : 0);
  return value;
});
const CRC16 = Uint16Array.from({ length: 256 }, (_, i) => {
  let value = i << 8;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value & 0x8000 ? 0x8005 : 0);
  return value;
});

/** Checksum of the bytes of a frame header. */
export function flacCrc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = CRC8[crc ^ bytes[i]!]!;
  return crc;
}

/** Checksum of the bytes of a frame. */
export function flacCrc16(bytes: Uint8Array, from: number, to: number): number {
  return flacCrc16Of(0, bytes, from, to);
}

/** Continues the checksum `start` of the bytes before with more bytes of a frame. */
export function flacCrc16Of(start: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = start;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ CRC16[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}

/** Index of the first byte from `from` on at which a frame header may start; the length of `bytes` if there is none. */
export function findFlacFrame(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if ((bytes[at + 1]! & 0xfe) === 0xf8) return at;
  }
  return bytes.length;
}

/** Reads a frame header; null if there is none at `start`. */
export function readFlacFrameHeader(bytes: Uint8Array, start: number, streamBits: number): FlacFrameHeader | null {
  if (start + 6 > bytes.length || bytes[start] !== 0xff || (bytes[start + 1]! & 0xfe) !== 0xf8) return null;
  const blockCode = bytes[start + 2]! >> 4;
  const rateCode = bytes[start + 2]! & 15;
  const channelCode = bytes[start + 3]! >> 4;
  const bits = BITS_OF_CODE[(bytes[start + 3]! >> 1) & 7]! || streamBits;
  if (blockCode === 0 || rateCode === 15 || channelCode > 10 || bits < 4 || (bytes[start + 3]! & 1) !== 0) return null;
  // The number of the frame: as many bytes as its first byte has leading ones.
  const ones = Math.clz32(~(bytes[start + 4]! << 24));
  if (ones === 1 || ones > 7) return null;
  let at = start + 4 + Math.max(1, ones);
  let number = ones === 0 ? bytes[start + 4]! : bytes[start + 4]! & (0x7f >> ones);
  for (let i = start + 5; i < at; i++) number = number * 64 + (bytes[i]! & 0x3f);
  let samples = blockCode === 1 ? 192 : blockCode < 6 ? 144 << blockCode : 1 << blockCode;
  if (blockCode === 6) samples = bytes[at++]! + 1;
  if (blockCode === 7) {
    samples = ((bytes[at]! << 8) | bytes[at + 1]!) + 1;
    at += 2;
  }
  if (rateCode === 12) at += 1;
  if (rateCode > 12) at += 2;
  if (at >= bytes.length || flacCrc8(bytes, start, at) !== bytes[at]) return null;
  const isPair = channelCode > 7;
  const decorrelation = isPair ? channelCode - 7 : 0;
  const isSampleNumber = (bytes[start + 1]! & 1) === 1;
  const channels = isPair ? 2 : channelCode + 1;
  return { start, body: at + 1, samples, number, isSampleNumber, channels, decorrelation, bits };
}

/**
 * Decodes the frame at `start`. Returns null if there is no intact frame.
 * @param streamBits bits of a sample by the description of the stream
 */
export function decodeFlacFrame(bytes: Uint8Array, start: number, streamBits: number): FlacFrame | null {
  const header = readFlacFrameHeader(bytes, start, streamBits);
  if (header === null) return null;
  const { samples, decorrelation, bits } = header;
  const reader = new BitReader(bytes, header.body);
  const channels: Samples[] = [];
  try {
    for (let channel = 0; channel < header.channels; channel++) {
      const isSide = decorrelation === 2 ? channel === 0 : decorrelation > 0 && channel === 1;
      channels.push(readSubframe(reader, samples, isSide ? bits + 1 : bits));
    }
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  const end = reader.align();
  if (end + 2 > bytes.length || flacCrc16(bytes, start, end) !== ((bytes[end]! << 8) | bytes[end + 1]!)) return null;
  decorrelate(channels, decorrelation);
  return { channels, bits, end: end + 2, number: header.number, isSampleNumber: header.isSampleNumber };
}

/** @throws RangeError for invalid content */
function readSubframe(reader: BitReader, count: number, codedBits: number): Samples {
  if (reader.unsigned(1) !== 0) throw new RangeError('The subframe is invalid.');
  const type = reader.unsigned(6);
  const wasted = reader.unsigned(1) === 0 ? 0 : reader.zeros() + 1;
  const bits = codedBits - wasted;
  if (bits < 1 || reader.isPastEnd) throw new RangeError('The subframe is invalid.');
  const samples: Samples = codedBits <= 25 ? new Int32Array(count) : new Float64Array(count);
  if (type === 0) samples.fill(reader.signed(bits));
  else if (type === 1) for (let i = 0; i < count; i++) samples[i] = reader.signed(bits);
  else if (type >= 8 && type <= 12) readPredicted(reader, samples, bits, type - 8, false);
  else if (type >= 32) readPredicted(reader, samples, bits, type - 31, true);
  else throw new RangeError('The subframe is invalid.');
  if (reader.isPastEnd) throw new RangeError('The frame ends early.');
  if (wasted > 0) for (let i = 0; i < count; i++) samples[i]! *= 2 ** wasted;
  return samples;
}

/** Reads samples that are coded as a prediction and its error. */
function readPredicted(reader: BitReader, samples: Samples, bits: number, order: number, isLinear: boolean): void {
  if (order > samples.length) throw new RangeError('The subframe is invalid.');
  for (let i = 0; i < order; i++) samples[i] = reader.signed(bits);
  let coefficients: readonly number[] = FIXED_PREDICTORS[order]!;
  let shift = 0;
  // A fixed predictor amplifies by less than 16.
  let sumBits = bits + 4;
  if (isLinear) {
    const precision = reader.unsigned(4) + 1;
    shift = reader.signed(5);
    if (precision === 16 || shift < 0) throw new RangeError('The predictor is invalid.');
    coefficients = Array.from({ length: order }, () => reader.signed(precision));
    sumBits = bits + precision + Math.ceil(Math.log2(order));
  }
  readResidual(reader, samples, order);
  if (sumBits <= 32 && samples instanceof Int32Array) addPrediction(samples, Int32Array.from(coefficients), shift);
  else addWidePrediction(samples, coefficients, shift);
}

function readResidual(reader: BitReader, samples: Samples, order: number): void {
  const method = reader.unsigned(2);
  if (method > 1) throw new RangeError('The coding method is invalid.');
  const parameterBits = 4 + method;
  const escape = (1 << parameterBits) - 1;
  const partitions = 1 << reader.unsigned(4);
  const length = samples.length / partitions;
  if (!Number.isInteger(length) || length < order) throw new RangeError('The partitions are invalid.');
  for (let partition = 0; partition < partitions; partition++) {
    const from = partition === 0 ? order : partition * length;
    const to = (partition + 1) * length;
    const parameter = reader.unsigned(parameterBits);
    if (parameter === escape) {
      const width = reader.unsigned(5);
      for (let i = from; i < to; i++) samples[i] = width === 0 ? 0 : reader.signed(width);
    } else reader.rice(parameter, samples, from, to);
  }
}

/** Adds the prediction to errors, if all sums fit into 32 bits. */
function addPrediction(samples: Int32Array, coefficients: Int32Array, shift: number): void {
  const order = coefficients.length;
  for (let i = order; i < samples.length; i++) {
    let sum = 0;
    for (let k = 0; k < order; k++) sum = (sum + Math.imul(coefficients[k]!, samples[i - 1 - k]!)) | 0;
    samples[i] = samples[i]! + (sum >> shift);
  }
}

/** Adds the prediction to errors in double precision, which is exact up to 53 bits. */
function addWidePrediction(samples: Samples, coefficients: readonly number[], shift: number): void {
  const order = coefficients.length;
  const scale = 2 ** -shift;
  for (let i = order; i < samples.length; i++) {
    let sum = 0;
    for (let k = 0; k < order; k++) sum += coefficients[k]! * samples[i - 1 - k]!;
    samples[i]! += Math.floor(sum * scale);
  }
}

/** Restores left and right from the pair that is coded. */
function decorrelate(channels: Samples[], decorrelation: number): void {
  const [first, second] = channels;
  if (decorrelation === 0 || !first || !second) return;
  // The right channel is computed in an array of the kind of the wider side channel.
  for (let i = 0; i < first.length; i++) {
    const a = first[i]!;
    const b = second[i]!;
    if (decorrelation === 1) second[i] = a - b;
    else if (decorrelation === 2) first[i] = a + b;
    else {
      // The lowest bit of the sum is that of the difference.
      const sum = 2 * a + (Math.abs(b) % 2);
      first[i] = (sum + b) / 2;
      second[i] = (sum - b) / 2;
    }
  }
}
