/**
 * Encodes one MP3 stream in parts, which can be encoded at the same time. The encoder of a part starts some frames before it and runs on
 * behind it. After a while two encoders write the same frames; parts are joined at two consecutive frames that are equal in both. That
 * is exact: a frame depends on at most 511 bytes of the frame before (its bit reservoir), and a decoder carries nothing from one frame
 * to the next but what the frame before put there.
 */
import { createMp3Encoder } from 'wasm-media-encoders';
import { concatBytes } from './tags.ts';

/** Constant bit rate: transparent for mixes, and allows exact seeking. */
export const MP3_KBPS = 320;
export const SAMPLES_PER_FRAME = 1152;
/** Samples that a decoder adds. Without as much silence at the end, the last samples would be lost. */
const DECODER_DELAY = 529;

/** Frames after which the lengths of frames repeat at 44.1 kHz. Parts start at multiples of it. */
const FRAME_PERIOD = 49;
/**
 * Frames that a part is encoded before its start and behind its end. Mostly encoders agree after about 30 frames, in music after 300 at
 * the latest: they agreed at all of 23 places that were tried, with half as much at 22.
 */
const LEAD_IN = 6 * FRAME_PERIOD;
const RUN_ON = FRAME_PERIOD;
/** Frames of a part: 50 seconds. A shorter one would not pay for what is encoded twice. */
const MIN_PART_FRAMES = 39 * FRAME_PERIOD;
const MAX_PARTS = 4;
const CHUNK = SAMPLES_PER_FRAME * 200;

/** Frames `from..to` of a stream; the last part has no end. */
export type Mp3Part = { from: number; to: number | null };

/** The parts in which a stream of so many samples is encoded, by its length alone. */
export function mp3Parts(samples: number): Mp3Part[] {
  const frames = Math.ceil(samples / SAMPLES_PER_FRAME);
  const count = Math.max(1, Math.min(MAX_PARTS, Math.floor(frames / MIN_PART_FRAMES)));
  const starts = Array.from(
    { length: count },
    (_, i) => Math.round((i * frames) / count / FRAME_PERIOD) * FRAME_PERIOD,
  );
  return starts.map((from, i) => ({ from, to: starts[i + 1] ?? null }));
}

/** Length in bytes of an MPEG-1 layer III frame, from its header. */
export function frameLength(header: Uint8Array): number {
  const kbps = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][header[2]! >> 4] ?? 0;
  const sampleRate = [44_100, 48_000, 32_000][(header[2]! >> 2) & 3] ?? 44_100;
  return Math.floor((144_000 * kbps) / sampleRate) + ((header[2]! >> 1) & 1);
}

/**
 * Encodes a part of one or two equally long channels (-1..1) with a constant bit rate of 320 kbit/s.
 * @param sampleRate 32000, 44100 or 48000 (MPEG-1); parts other than the whole need 44100
 * @returns frames, the first of which is `LEAD_IN` before the part, or the first of the stream
 */
export async function encodeMp3Part(
  channels: readonly Float32Array[],
  sampleRate: number,
  { from, to }: Mp3Part,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: channels.length === 1 ? 1 : 2, sampleRate, bitrate: MP3_KBPS });
  const length = channels[0]?.length ?? 0;
  const first = Math.max(0, from - LEAD_IN) * SAMPLES_PER_FRAME;
  const end = to === null ? length : Math.min(length, (to + RUN_ON) * SAMPLES_PER_FRAME);
  const parts: Uint8Array[] = [];
  for (let at = first; at < end; at += CHUNK) {
    const until = Math.min(end, at + CHUNK);
    parts.push(encoder.encode(channels.map((samples) => samples.subarray(at, until))).slice());
  }
  if (to !== null) return concatBytes(parts);
  parts.push(encoder.encode(channels.map(() => new Float32Array(DECODER_DELAY + SAMPLES_PER_FRAME))).slice());
  parts.push(encoder.finalize().slice());
  return concatBytes(parts);
}

/** Where the frames of a stream start, and behind them its end. A frame that is cut is left out. */
function frameStarts(stream: Uint8Array): number[] {
  const starts: number[] = [];
  let at = 0;
  while (at + 4 <= stream.length) {
    const next = at + frameLength(stream.subarray(at, at + 4));
    if (next > stream.length) break;
    starts.push(at);
    at = next;
  }
  return [...starts, at];
}

/**
 * Joins the encoded parts of a stream.
 * @returns null if two encoders nowhere wrote two equal frames: then the stream must be encoded as one part
 */
export function joinMp3Parts(
  parts: readonly Mp3Part[],
  encoded: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> | null {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const [i, stream] of encoded.entries()) {
    const next = encoded[i + 1];
    if (!next) return concatBytes([...pieces, stream.subarray(at)]);
    const first = Math.max(0, parts[i]!.from - LEAD_IN);
    const [own, others] = [frameStarts(stream), frameStarts(next)];
    const ahead = parts[i + 1]!.from - LEAD_IN - first;
    const isEqual = (frame: number): boolean => {
      const [from, to] = [own[frame + ahead], own[frame + ahead + 1]];
      if (from === undefined || to === undefined || others[frame + 1] === undefined) return false;
      const other = next.subarray(others[frame]!, others[frame + 1]!);
      return to - from === other.length && other.every((byte, k) => byte === stream[from + k]);
    };
    const frame = others.findIndex((_, k) => (own[k + ahead] ?? 0) >= at && isEqual(k) && isEqual(k + 1));
    if (frame < 0) return null;
    pieces.push(stream.subarray(at, own[frame + ahead + 2]));
    at = others[frame + 2]!;
  }
  return concatBytes(pieces);
}
