/** Opens MP3 files (MPEG audio, all layers). */
import { MPEGDecoder } from 'mpg123-decoder';
import { AudioError } from '../errors.ts';
import { wavLayout } from './channel-layout.ts';
import { findMp3Parts } from './mp3-parts.ts';
import type { Mp3Part } from './mp3-parts.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { joinParts } from './parts.ts';
import { safeChunks } from './safe-chunks.ts';

/** Bytes given to a decoder at a time: 1 to 4 seconds of sound at usual rates. Larger pieces leave more garbage to collect. */
const FEED_BYTES = 64 * 1024;
/** Files with more than this share of damaged bytes are rejected. */
const MAX_DAMAGED_RATIO = 0.02;
/** Less than this share of the declared frames means that the file was cut. */
const MIN_PRESENT_RATIO = 0.98;
/** Samples that may be missing in addition: two frames. They are 3 % of a short song at 8 kHz. */
const TOLERATED_SAMPLES = 2 * 1152;
/** The decoder always returns two channels. */
const DECODED_LAYOUT = wavLayout(2);

/** Decodes a part. After an error the instance is dropped, not freed: its memory may be in any state and is released with the module. */
async function* decodePart(bytes: Uint8Array): AsyncGenerator<Float32Array[]> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  for (let offset = 0; offset < bytes.length; offset += FEED_BYTES) {
    const decoded = decoder.decode(bytes.subarray(offset, offset + FEED_BYTES));
    if (decoded.samplesDecoded > 0) yield decoded.channelData;
  }
  decoder.free();
}

/** @throws AudioError if frames that the header declares are missing */
function checkComplete({ samples, declaredSamples }: Mp3Part): void {
  if (declaredSamples === null || samples + TOLERATED_SAMPLES >= declaredSamples * MIN_PRESENT_RATIO) return;
  const percent = Math.max(0, Math.min(99, Math.floor((100 * samples) / declaredSamples)));
  throw new AudioError('audio_truncated', `The file is incomplete: only ${percent} % of the song is present.`);
}

function kilohertz(rate: number): string {
  return String(Number((rate / 1000).toFixed(3)));
}

function warningsOf(parts: readonly Mp3Part[], endsInFrame: boolean): string[] {
  const rates = [...new Set(parts.map((part) => part.sampleRate))];
  return [
    ...(endsInFrame ? ['The MP3 file ends inside a frame: its end may be missing.'] : []),
    ...(rates.length > 1
      ? [`The MP3 file consists of parts with different sample rates (${rates.map(kilohertz).join(', ')} kHz).`]
      : []),
  ];
}

/**
 * Opens an MP3 file. Songs that were joined into one file are decoded one by one, each without the silence that its encoder added.
 * @param bytes the file without tags at its start and end
 * @throws AudioError if it is damaged or cut
 */
export function openMp3(bytes: Uint8Array): OpenedAudio {
  const file = findMp3Parts(bytes);
  if (!file || file.parts.length === 0) throw new AudioError('audio_damaged', 'The MP3 file has no intact frames.');
  const { parts, junkRatio, endsInFrame } = file;
  if (junkRatio > MAX_DAMAGED_RATIO) throw new AudioError('audio_damaged', 'Parts of the MP3 file are damaged.');
  checkComplete(parts.at(-1)!);
  const joined = joinParts(
    parts.map(({ from, to, sampleRate }) => ({
      sampleRate,
      channels: 2,
      layout: DECODED_LAYOUT,
      decode: () => decodePart(bytes.subarray(from, to)),
    })),
  );
  const samples = parts.reduce(
    (sum, part) => sum + ((part.samples - part.padding) * joined.sampleRate) / part.sampleRate,
    0,
  );
  return {
    ...joined,
    channels: parts[0]!.channels,
    declaredSamples: Math.round(samples),
    expectedSamples: Math.max(0, Math.round(samples) - TOLERATED_SAMPLES * parts.length),
    warnings: warningsOf(parts, endsInFrame),
    chunks: safeChunks(joined.chunks),
  };
}
