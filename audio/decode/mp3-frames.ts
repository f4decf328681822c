/** MPEG audio frame headers: finds frames and reads the declared length of a file. */

/** A parsed frame header. */
export type Mp3Frame = {
  /** Bytes, with the header. */
  length: number;
  /** Samples of one channel. */
  samples: number;
  sampleRate: number;
  channels: number;
  version: number;
  layer: number;
};

/** Properties of a file by its frame headers. Samples are those of one channel. */
export type Mp3Summary = {
  sampleRate: number;
  channels: number;
  /** Null if no Xing, Info or VBRI header declares a length. */
  declaredSamples: number | null;
  /** Samples of all complete frames. */
  presentSamples: number;
  /** Share of the bytes between the first and the last frame that belong to no frame, 0..1. */
  junkRatio: number;
  /** The file ends inside a frame: writing or transfer was interrupted. */
  endsInFrame: boolean;
};

const BITRATES_V1: Record<number, readonly number[]> = {
  1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const BITRATES_V2: Record<number, readonly number[]> = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES = [44100, 48000, 32000] as const;

/** Consecutive frames with matching headers that identify MP3 data. */
const CHAIN_FRAMES = 3;

/** Length in bytes of an ID3v2 tag at the start of `bytes`, 0 if there is none. */
export function id3v2Length(bytes: Uint8Array): number {
  if (bytes.length < 10 || bytes[0] !== 0x49 || bytes[1] !== 0x44 || bytes[2] !== 0x33) return 0;
  const size = (bytes[6]! << 21) | (bytes[7]! << 14) | (bytes[8]! << 7) | bytes[9]!;
  const footer = (bytes[5]! & 0x10) !== 0 ? 10 : 0;
  return 10 + size + footer;
}

/** The frame header at `offset`, or null if there is none (ISO/IEC 11172-3, 2.4.1.3). */
export function readFrameHeader(bytes: Uint8Array, offset: number): Mp3Frame | null {
  if (offset + 4 > bytes.length || bytes[offset] !== 0xff || (bytes[offset + 1]! & 0xe0) !== 0xe0) return null;
  const versionBits = (bytes[offset + 1]! >> 3) & 3;
  const layer = 4 - ((bytes[offset + 1]! >> 1) & 3);
  const bitrateIndex = bytes[offset + 2]! >> 4;
  const rateIndex = (bytes[offset + 2]! >> 2) & 3;
  if (versionBits === 1 || layer === 4 || bitrateIndex === 0 || bitrateIndex === 15 || rateIndex === 3) return null;
  const version = versionBits === 3 ? 1 : 2;
  const divisor = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 4;
  const sampleRate = SAMPLE_RATES[rateIndex]! / divisor;
  const kbps = (version === 1 ? BITRATES_V1 : BITRATES_V2)[layer]![bitrateIndex]!;
  const padding = (bytes[offset + 2]! >> 1) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version === 2 ? 576 : 1152;
  const length =
    layer === 1
      ? (Math.floor((12 * kbps * 1000) / sampleRate) + padding) * 4
      : Math.floor(((samples / 8) * kbps * 1000) / sampleRate) + padding;
  const channels = bytes[offset + 3]! >> 6 === 3 ? 1 : 2;
  return { length, samples, sampleRate, channels, version, layer };
}

/** Offset in [from, to) of the first of `CHAIN_FRAMES` consecutive frames, or null. */
export function findFrameChain(bytes: Uint8Array, from: number, to: number): number | null {
  for (let start = from; start < Math.min(to, bytes.length - 4); start++) {
    const first = readFrameHeader(bytes, start);
    if (!first) continue;
    let offset = start + first.length;
    let found = 1;
    while (found < CHAIN_FRAMES) {
      const next = readFrameHeader(bytes, offset);
      if (!next || next.sampleRate !== first.sampleRate || next.layer !== first.layer) break;
      offset += next.length;
      found++;
    }
    if (found === CHAIN_FRAMES) return start;
  }
  return null;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0;
}

/** Number of frames declared by a Xing, Info or VBRI header in the frame at `offset`, or null. */
function readDeclaredFrames(bytes: Uint8Array, offset: number, frame: Mp3Frame): number | null {
  const side = frame.version === 1 ? (frame.channels === 1 ? 17 : 32) : frame.channels === 1 ? 9 : 17;
  const text = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  const xing = offset + 4 + side;
  if (xing + 12 <= bytes.length && (text(xing) === 'Xing' || text(xing) === 'Info')) {
    return (bytes[xing + 7]! & 1) !== 0 ? readUint32(bytes, xing + 8) : null;
  }
  const vbri = offset + 36;
  if (vbri + 18 <= bytes.length && text(vbri) === 'VBRI') return readUint32(bytes, vbri + 14);
  return null;
}

/** Reads all frame headers of an MP3 file. Returns null if it has no three consecutive frames. */
export function summarizeMp3(bytes: Uint8Array): Mp3Summary | null {
  const first = findFrameChain(bytes, id3v2Length(bytes), bytes.length);
  if (first === null) return null;
  const frame = readFrameHeader(bytes, first)!;
  const declaredFrames = readDeclaredFrames(bytes, first, frame);
  let offset = first;
  let inFrames = 0;
  let presentSamples = 0;
  let end = first;
  let endsInFrame = false;
  while (offset + 4 <= bytes.length) {
    const header = readFrameHeader(bytes, offset);
    const fits = header?.sampleRate === frame.sampleRate && header.layer === frame.layer;
    endsInFrame = fits && offset === end && offset + header.length > bytes.length;
    if (endsInFrame) break;
    if (header && header.sampleRate === frame.sampleRate && offset + header.length <= bytes.length) {
      presentSamples += header.samples;
      inFrames += header.length;
      offset += header.length;
      end = offset;
    } else {
      const next = findFrameChain(bytes, offset + 1, bytes.length);
      if (next === null) break;
      offset = next;
    }
  }
  return {
    sampleRate: frame.sampleRate,
    channels: frame.channels,
    declaredSamples: declaredFrames === null ? null : declaredFrames * frame.samples,
    presentSamples,
    junkRatio: end === first ? 1 : 1 - inFrames / (end - first),
    endsInFrame,
  };
}
