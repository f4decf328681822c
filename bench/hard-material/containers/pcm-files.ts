/** Makes WAV and AIFF files of every kind. */

/** How samples are stored. `bits` are used of containers of `width` bytes, at the top unless `atBottom`. */
export type SampleKind = {
  bits: number;
  width?: number;
  kind?: 'integer' | 'float' | 'alaw' | 'mulaw';
  bigEndian?: boolean;
  atBottom?: boolean;
};

/** Encodes a sample by A-law (ITU-T G.711). */
function alaw(value: number): number {
  const sign = value >= 0 ? 0x80 : 0;
  const magnitude = Math.min(0x7fff, Math.abs(Math.round(value * 32768)));
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 15;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

/** Encodes a sample by µ-law (ITU-T G.711). */
function mulaw(value: number): number {
  const sign = value < 0 ? 0x80 : 0;
  const magnitude = Math.min(0x7fff, Math.abs(Math.round(value * 32768)) + 0x84);
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

function writeSample(file: Buffer, at: number, value: number, sample: Required<SampleKind>): void {
  const { bits, width, kind, bigEndian, atBottom } = sample;
  if (kind === 'alaw') file[at] = alaw(value);
  else if (kind === 'mulaw') file[at] = mulaw(value);
  else if (kind === 'float') {
    if (width === 4 && bigEndian) file.writeFloatBE(value, at);
    else if (width === 4) file.writeFloatLE(value, at);
    else if (bigEndian) file.writeDoubleBE(value, at);
    else file.writeDoubleLE(value, at);
  } else {
    const full = 2 ** (bits - 1);
    const integer = Math.max(-full, Math.min(full - 1, Math.round(value * full)));
    const stored = atBottom ? integer : integer * 2 ** (8 * width - bits);
    if (bigEndian) file.writeIntBE(stored, at, width);
    else file.writeIntLE(stored, at, width);
  }
}

/** Stores channels frame by frame. */
export function storeSamples(channels: readonly Float32Array[], kind: SampleKind): Buffer {
  const sample = {
    width: Math.ceil(kind.bits / 8),
    kind: 'integer' as const,
    bigEndian: false,
    atBottom: false,
    ...kind,
  };
  const data = Buffer.alloc(channels[0]!.length * channels.length * sample.width);
  let at = 0;
  for (let i = 0; i < channels[0]!.length; i++)
    for (const samples of channels) {
      writeSample(data, at, samples[i]!, sample);
      at += sample.width;
    }
  return data;
}

/** What a WAV header says, where it differs from the truth. */
export type WavOptions = SampleKind & {
  sampleRate: number;
  /** Mark of the file: RF64 and BW64 have a 64-bit length. */
  mark?: 'RIFF' | 'RIFX' | 'RF64' | 'BW64';
  /** Declared length of the samples in bytes. */
  dataLength?: number;
  /** Declared bytes of a frame. */
  blockAlign?: number;
  /** The tag of the codec. */
  tag?: number;
  /** Bytes in place of the samples. */
  data?: Uint8Array;
};

const TAGS = { integer: 1, float: 3, alaw: 6, mulaw: 7 } as const;

/** Writes a WAV file. */
export function writeWav(channels: readonly Float32Array[], options: WavOptions): Uint8Array {
  const { mark = 'RIFF', bits, width = Math.ceil(bits / 8), sampleRate } = options;
  const isBig = mark === 'RIFX';
  const data = options.data ?? storeSamples(channels, { ...options, bigEndian: isBig });
  const block = options.blockAlign ?? channels.length * width;
  const isLong = mark === 'RF64' || mark === 'BW64';
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (isBig) bytes.writeUInt32BE(value >>> 0);
    else bytes.writeUInt32LE(value >>> 0);
    return bytes;
  };
  const u16 = (value: number): Buffer => (isBig ? u32(value).subarray(2) : u32(value).subarray(0, 2));
  const text = (value: string): Buffer => Buffer.from(value, 'latin1');
  const long = Buffer.alloc(28);
  long.writeBigUInt64LE(BigInt(data.length + 72), 0);
  long.writeBigUInt64LE(BigInt(data.length), 8);
  const tag = options.tag ?? TAGS[options.kind ?? 'integer'];
  const declared = options.dataLength ?? (isLong ? 0xffffffff : data.length);
  return new Uint8Array(
    Buffer.concat([
      ...[text(mark), u32(isLong ? 0xffffffff : declared + 36), text('WAVE')],
      ...(isLong ? [text('ds64'), u32(28), long] : []),
      ...[text('fmt '), u32(16), u16(tag), u16(channels.length), u32(sampleRate), u32(sampleRate * block)],
      ...[u16(block), u16(bits), text('data'), u32(declared), data],
    ]),
  );
}

/** What an AIFF file is. `compression` makes it AIFF-C. */
export type AiffOptions = SampleKind & { sampleRate: number; compression?: string };

/** A number in 80 bits. */
function extended(value: number): Buffer {
  const exponent = Math.floor(Math.log2(value));
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(16383 + exponent);
  bytes.writeUInt32BE(Math.round(value * 2 ** (31 - exponent)), 2);
  return bytes;
}

/** Writes an AIFF or AIFF-C file. */
export function writeAiff(channels: readonly Float32Array[], options: AiffOptions): Uint8Array {
  const { bits, sampleRate, compression } = options;
  const data = storeSamples(channels, { ...options, bigEndian: compression !== 'sowt' });
  const common = Buffer.alloc(8);
  common.writeUInt16BE(channels.length, 0);
  common.writeUInt32BE(channels[0]!.length, 2);
  common.writeUInt16BE(bits, 6);
  const kind = compression === undefined ? [] : [Buffer.from(`${compression}\0\0`, 'latin1')];
  const chunk = (id: string, ...parts: readonly Uint8Array[]): Buffer => {
    const body = Buffer.concat(parts);
    const head = Buffer.alloc(8);
    head.write(id, 'latin1');
    head.writeUInt32BE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const type = Buffer.from(compression === undefined ? 'AIFF' : 'AIFC', 'latin1');
  return new Uint8Array(
    chunk('FORM', type, chunk('COMM', common, extended(sampleRate), ...kind), chunk('SSND', Buffer.alloc(8), data)),
  );
}
