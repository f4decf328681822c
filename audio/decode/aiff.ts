/** Reads AIFF and AIFF-C: integers of up to 64 bits, 32 and 64 bit float, A-law and µ-law, in either order of bytes. */
import { AudioError } from '../errors.ts';
import { declaredFrames, isReadablePcm } from './pcm.ts';
import type { PcmBlock, PcmEncoding } from './pcm.ts';
import { hasText } from './signatures.ts';

/** The `COMM` chunk. `kind` is the compression type; `NONE` in AIFF. */
type Common = { channels: number; frames: number; bits: number; sampleRate: number; kind: string };

type Samples = { encoding: PcmEncoding; bits: number; littleEndian: boolean };

const MAX_RATE = 768_000;

/** Sample formats of AIFF-C by compression type. The number of bits is that of the `COMM` chunk where it is 0. */
const KINDS: Record<string, Samples> = {
  NONE: { encoding: 'signed', bits: 0, littleEndian: false },
  none: { encoding: 'signed', bits: 0, littleEndian: false },
  twos: { encoding: 'signed', bits: 0, littleEndian: false },
  sowt: { encoding: 'signed', bits: 0, littleEndian: true },
  'raw ': { encoding: 'unsigned', bits: 8, littleEndian: false },
  in24: { encoding: 'signed', bits: 24, littleEndian: false },
  in32: { encoding: 'signed', bits: 32, littleEndian: false },
  '42ni': { encoding: 'signed', bits: 24, littleEndian: true },
  '23ni': { encoding: 'signed', bits: 32, littleEndian: true },
  fl32: { encoding: 'float', bits: 32, littleEndian: false },
  FL32: { encoding: 'float', bits: 32, littleEndian: false },
  fl64: { encoding: 'float', bits: 64, littleEndian: false },
  FL64: { encoding: 'float', bits: 64, littleEndian: false },
  alaw: { encoding: 'alaw', bits: 8, littleEndian: false },
  ALAW: { encoding: 'alaw', bits: 8, littleEndian: false },
  ulaw: { encoding: 'mulaw', bits: 8, littleEndian: false },
  ULAW: { encoding: 'mulaw', bits: 8, littleEndian: false },
};

/** Names of compression types that are refused. */
const CODEC_NAMES: Record<string, string> = {
  ima4: 'IMA ADPCM',
  MAC3: 'MACE 3:1',
  MAC6: 'MACE 6:1',
  QDM2: 'QDesign Music',
  QDMC: 'QDesign Music',
  Qclp: 'QCELP',
  G722: 'G.722 ADPCM',
  G726: 'G.726 ADPCM',
  GSM: 'GSM 6.10',
};

/** A number of 80 bits as in IEEE 754: sign, 15 bits of exponent, 64 bits of mantissa with its first 1. */
function readExtended(view: DataView, at: number): number {
  const exponent = view.getUint16(at) & 0x7fff;
  const mantissa = view.getUint32(at + 2) * 2 ** 32 + view.getUint32(at + 6);
  return mantissa * 2 ** (exponent - 16383 - 63);
}

function readCommon(bytes: Uint8Array, view: DataView, body: number, size: number): Common {
  const isCompressed = hasText(bytes, 8, 'AIFC') && size >= 22;
  return {
    channels: view.getUint16(body),
    frames: view.getUint32(body + 2),
    bits: view.getUint16(body + 6),
    sampleRate: Math.round(readExtended(view, body + 8)),
    kind: isCompressed ? String.fromCharCode(...bytes.subarray(body + 18, body + 22)) : 'NONE',
  };
}

/** `isCut` is true if the samples run past the end of the file. */
type AiffChunks = { common: Common | null; dataOffset: number; dataBytes: number; isCut: boolean };

/** Finds the description and the samples, which may come in any order. */
function findChunks(bytes: Uint8Array): AiffChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let common: Common | null = null;
  let dataOffset = 0;
  let dataBytes = 0;
  let isCut = false;
  for (let offset = 12; offset + 8 <= bytes.length;) {
    const size = view.getUint32(offset + 4);
    const body = offset + 8;
    if (hasText(bytes, offset, 'COMM') && body + 22 <= bytes.length) common = readCommon(bytes, view, body, size);
    if (hasText(bytes, offset, 'SSND') && body + 8 <= bytes.length) {
      const start = view.getUint32(body);
      dataOffset = body + 8 + start;
      isCut = body + size > bytes.length;
      dataBytes = Math.min(Math.max(0, size - 8 - start), Math.max(0, bytes.length - dataOffset));
      // A length of zero is written by programs that stream. The samples then reach to the end of the file.
      if (size <= 8) dataBytes = Math.max(0, bytes.length - dataOffset);
    }
    offset = body + size + (size & 1);
  }
  return { common, dataOffset, dataBytes, isCut };
}

/**
 * Reads the header of an AIFF or AIFF-C file.
 * @param bytes the whole file
 * @throws AudioError audio_damaged without samples or their description, audio_unsupported_format for compression
 */
export function parseAiff(bytes: Uint8Array): PcmBlock {
  const { common, dataOffset, dataBytes, isCut } = findChunks(bytes);
  if (common === null) throw new AudioError('audio_damaged', 'The AIFF file has no description of its samples.');
  if (dataOffset === 0) throw new AudioError('audio_truncated', 'The AIFF file ends before its samples.');
  const { channels, sampleRate, kind } = common;
  const samples = KINDS[kind];
  if (!samples) throw unreadable(CODEC_NAMES[kind.trim()] ?? `an unknown codec ("${kind.replace(/[^ -~]/g, '?')}")`);
  const { encoding, littleEndian } = samples;
  const bits = samples.bits || common.bits;
  if (channels < 1 || channels > 32 || !(sampleRate >= 1000 && sampleRate <= MAX_RATE) || bits === 0) {
    throw new AudioError('audio_damaged', 'The header of the AIFF file is invalid.');
  }
  const width = Math.ceil(bits / 8);
  if (!isReadablePcm(encoding, width)) throw unreadable(`samples of ${bits} bits`);
  const frameBytes = channels * width;
  const present = Math.floor(dataBytes / frameBytes);
  const declared = isCut ? declaredFrames(common.frames * frameBytes, frameBytes, present) : present;
  return {
    sampleRate,
    channels,
    encoding,
    width,
    scaleBits: 8 * width,
    littleEndian,
    dataOffset,
    frames: Math.min(present, declared),
    declaredFrames: declared,
  };
}

function unreadable(what: string): AudioError {
  return new AudioError('audio_unsupported_format', `The AIFF file contains ${what}, which cannot be read.`, {
    hint: 'Convert it to AIFF or WAV with 16 or 24 bits without compression, or to FLAC or MP3.',
  });
}
