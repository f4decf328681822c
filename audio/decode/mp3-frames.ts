/** MPEG audio frame headers. */

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
