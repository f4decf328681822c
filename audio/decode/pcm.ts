/** Reads samples that are stored without compression, or by the logarithmic laws of G.711. */

/** How a sample is stored. */
export type PcmEncoding = 'unsigned' | 'signed' | 'float' | 'alaw' | 'mulaw';

/** Samples in a file. A frame holds one sample of each channel, in containers of `width` bytes. */
export type PcmBlock = {
  sampleRate: number;
  channels: number;
  encoding: PcmEncoding;
  /** Bytes of the container of a sample. */
  width: number;
  /** Full scale of integer samples is 2 ** (`scaleBits` - 1). */
  scaleBits: number;
  littleEndian: boolean;
  /** Where the samples start, in bytes. */
  dataOffset: number;
  /** Frames that are there. */
  frames: number;
  /** Frames that the header declares; more than `frames` in a truncated file. */
  declaredFrames: number;
};

/** True for sample formats that `readPcm` reads. */
export function isReadablePcm(encoding: PcmEncoding, width: number): boolean {
  if (encoding === 'float') return width === 4 || width === 8;
  if (encoding === 'unsigned') return width >= 1 && width <= 4;
  if (encoding === 'signed') return width >= 1 && width <= 8;
  return width === 1;
}

/**
 * Frames that a header declares, given the length of the samples in bytes. Programs that do not know the length when they write the
 * header leave 0 or a number near 2^31 or 2^32. Therefore a length that is larger than `MAX_PLAUSIBLE_BYTES` is no length, and the
 * end of the file decides. A smaller one that runs past the end means a truncated file.
 */
export function declaredFrames(declaredBytes: number, frameBytes: number, presentFrames: number): number {
  if (isPlaceholder(declaredBytes)) return presentFrames;
  return Math.floor(declaredBytes / frameBytes);
}

/** Four times the size of the largest file that is accepted. */
const MAX_PLAUSIBLE_BYTES = 200 * 1024 * 1024;

/** True for a declared length of samples (bytes) that means `unknown`. */
export function isPlaceholder(declaredBytes: number): boolean {
  return declaredBytes === 0 || declaredBytes > MAX_PLAUSIBLE_BYTES;
}

/** Samples [from, from + count) of a file, one array for each channel, full scale 1. */
export function readPcm(bytes: Uint8Array, block: PcmBlock, from: number, count: number): Float32Array[] {
  if (block.encoding === 'signed' && block.width === 2) return readInt16(bytes, block, from, count);
  const read = sampleReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), block);
  const step = block.channels * block.width;
  return Array.from({ length: block.channels }, (_, channel) => {
    const out = new Float32Array(count);
    let offset = block.dataOffset + from * step + channel * block.width;
    for (let i = 0; i < count; i++, offset += step) out[i] = read(offset);
    return out;
  });
}

/** As `readPcm`, for the most frequent kind: without a call for each sample. */
function readInt16(bytes: Uint8Array, block: PcmBlock, from: number, count: number): Float32Array[] {
  const scale = 2 ** -(block.scaleBits - 1);
  const step = 2 * block.channels;
  // Shifting the high byte to the top and back extends its sign.
  const [low, high] = block.littleEndian ? [0, 1] : [1, 0];
  return Array.from({ length: block.channels }, (_, channel) => {
    const out = new Float32Array(count);
    let at = block.dataOffset + from * step + 2 * channel;
    for (let i = 0; i < count; i++, at += step) {
      out[i] = (((bytes[at + high]! << 24) >> 16) | bytes[at + low]!) * scale;
    }
    return out;
  });
}

/** Samples that are looked at to find where their bits lie. */
const LOOKED_AT = 65_536;

/**
 * Where the bits of integers lie whose container has room to spare: at its `top`, as they should, at its `bottom`, as some programs
 * write them, or in `all` of it.
 */
export function placeOfBits(bytes: Uint8Array, block: PcmBlock, bits: number): 'top' | 'bottom' | 'all' {
  const spare = 8 * block.width - bits;
  if (block.encoding !== 'signed' || spare <= 0) return 'top';
  const read = integerReader(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    block.width,
    block.littleEndian,
  );
  const samples = block.frames * block.channels;
  const step = Math.max(1, Math.floor(samples / LOOKED_AT));
  const limit = 2 ** (bits - 1);
  let isTop = true;
  let isBottom = true;
  for (let i = 0; i < samples && (isTop || isBottom); i += step) {
    const value = read(block.dataOffset + i * block.width);
    if (value % 2 ** spare !== 0) isTop = false;
    if (value < -limit || value >= limit) isBottom = false;
  }
  return isTop ? 'top' : isBottom ? 'bottom' : 'all';
}

type SampleReader = (offset: number) => number;

function sampleReader(view: DataView, block: PcmBlock): SampleReader {
  const { encoding, width, littleEndian: little } = block;
  if (encoding === 'float') {
    const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
    if (width === 8) return (at) => finite(view.getFloat64(at, little));
    return (at) => finite(view.getFloat32(at, little));
  }
  if (encoding === 'alaw' || encoding === 'mulaw') {
    const table = encoding === 'alaw' ? ALAW : MULAW;
    return (at) => table[view.getUint8(at)]!;
  }
  const scale = 2 ** -(block.scaleBits - 1);
  const integer = integerReader(view, width, little);
  if (encoding === 'signed') return (at) => integer(at) * scale;
  // Flipping the highest bit makes an unsigned sample a signed one.
  const half = 2 ** (8 * width - 1);
  return (at) => {
    const value = integer(at);
    return (value < 0 ? value + half : value - half) * scale;
  };
}

/** Reads a signed integer of `width` bytes. */
function integerReader(view: DataView, width: number, little: boolean): SampleReader {
  if (width === 1) return (at) => view.getInt8(at);
  if (width === 2) return (at) => view.getInt16(at, little);
  if (width === 3 && little) return (at) => (view.getInt8(at + 2) << 16) | view.getUint16(at, true);
  if (width === 3) return (at) => (view.getInt8(at) << 16) | view.getUint16(at + 1);
  if (width === 4) return (at) => view.getInt32(at, little);
  return (at) => {
    let value = view.getInt8(little ? at + width - 1 : at);
    for (let i = 1; i < width; i++) value = value * 256 + view.getUint8(little ? at + width - 1 - i : at + i);
    return value;
  };
}

/** A-law (ITU-T G.711) as samples: 13 bits, full scale 1. */
const ALAW = Float32Array.from({ length: 256 }, (_, code) => {
  const value = code ^ 0x55;
  const exponent = (value >> 4) & 7;
  const step = ((value & 15) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 0x100) << (exponent - 1);
  return (value & 0x80 ? magnitude : -magnitude) / 32768;
});

/** µ-law (ITU-T G.711) as samples: 14 bits, full scale 1. */
const MULAW = Float32Array.from({ length: 256 }, (_, code) => {
  const value = ~code & 0xff;
  const magnitude = ((((value & 15) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84;
  return (value & 0x80 ? -magnitude : magnitude) / 32768;
});
