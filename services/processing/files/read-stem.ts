/** Downloads and decodes stems: one file of any format, or FLAC in parts that follow one another. */
import { AudioError } from '../../../audio/errors.ts';
import { openAudio } from '../../../audio/decode/decode.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { openFlacRanges } from '../../../audio/decode/flac.ts';
import type { Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';
import { OverlapJoiner } from './join-files.ts';
import { MonoCollector } from './mono-collector.ts';
import { MAX_STEM_BYTES, unusableStem } from './stem-limits.ts';
import { readStoredBytes, type StoredBytes } from './scratch.ts';

const MAX_STEM_SEC = 960;

/**
 * Where a stem is downloaded from: the URLs of its parts, in order. `song` is the song's name, for error messages. `stored` are the
 * first parts that were downloaded before. `starts` says for stems in pieces at which second of the song each file starts, unless it
 * follows the one before; what no piece holds is not received.
 */
export type StemSource = {
  urls: readonly string[];
  song: string;
  stem: Stem;
  stored?: readonly StoredBytes[];
  starts?: readonly (number | undefined)[];
};

/** Keeps a downloaded part of a stem. */
export type KeepPart = (bytes: Uint8Array) => void;

/** Samples `from..to` of a stem. */
export type StemRange = [from: number, to: number];

/**
 * Receives one decoded chunk of a stem; `at` is the sample of the stem at which it starts. Returns false if it needs nothing that
 * follows: then the rest is neither decoded nor downloaded.
 */
export type ChunkSink = (chunk: [Float32Array, Float32Array], at: number) => boolean | void;

/**
 * Downloads a stem and decodes it chunk by chunk, as stereo at 44.1 kHz. A silent stem is accepted, since not every song has all
 * four parts.
 * @param keep is called with each part that is downloaded
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readStem(source: StemSource, sink: ChunkSink, keep?: KeepPart): Promise<void> {
  const { startOf, join } = placesOf(source);
  let at = 0;
  for (const part of source.urls.keys()) {
    at = startOf(part) ?? at;
    try {
      const bytes = await partBytes(source, part, keep);
      for await (const chunk of openPart(bytes)) {
        if (sink(join(part, chunk, at), at) === false) return;
        at += chunk[0].length;
      }
    } catch (error) {
      if (!isSilent(error)) throw stemError(source, error);
    }
  }
}

/**
 * Decodes parts of a stem, as `readStem` does. Of FLAC nothing else is decoded, of other files nothing behind the last part.
 * @param ranges ascending, without overlaps
 * @param sink receives at least all samples of the ranges
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readStemRanges(
  source: StemSource,
  ranges: readonly StemRange[],
  sink: (chunk: [Float32Array, Float32Array], at: number) => void,
  keep?: KeepPart,
): Promise<void> {
  const { startOf, join } = placesOf(source);
  const end = Math.max(0, ...ranges.map(([, to]) => to));
  let at = 0;
  for (let part = 0; part < source.urls.length && (startOf(part) ?? at) < end; part++) {
    at = startOf(part) ?? at;
    try {
      const bytes = await partBytes(source, part, keep);
      const flac = openFlacRanges(bytes);
      if (flac?.sampleRate === SAMPLE_RATE && flac.channels <= 2) {
        for (const [from, to] of ranges)
          for (const { at: first, channels } of flac.decode(Math.max(0, from - at), to - at))
            sink(join(part, [channels[0]!, channels[1] ?? channels[0]!], at + first), at + first);
        at += flac.samples;
        continue;
      }
      for await (const chunk of openPart(bytes)) {
        sink(join(part, chunk, at), at);
        at += chunk[0].length;
        if (at >= end) break;
      }
    } catch (error) {
      if (!isSilent(error)) throw stemError(source, error);
    }
  }
}

type Chunk = [Float32Array, Float32Array];

/** Where the files of a stem start, in samples, and how they are joined. */
function placesOf({ starts }: StemSource): {
  startOf: (part: number) => number | undefined;
  join: (part: number, chunk: Chunk, at: number) => Chunk;
} {
  if (!starts) return { startOf: () => undefined, join: (_, chunk) => chunk };
  const samples = starts.map((start) => (start === undefined ? undefined : Math.round(start * SAMPLE_RATE)));
  const joiner = new OverlapJoiner(samples);
  return { startOf: (part) => samples[part], join: (part, chunk, at) => joiner.join(part, chunk, at) };
}

/** A silent part ends with this error, after all of its samples. */
const isSilent = (error: unknown): boolean => error instanceof AudioError && error.code === 'audio_silent';

const openPart = (bytes: Uint8Array): AsyncGenerator<[Float32Array, Float32Array]> =>
  openAudio(bytes, { limits: { minSec: 0, maxSec: MAX_STEM_SEC, maxBytes: MAX_STEM_BYTES } }).chunks;

async function partBytes({ urls, stored, song, stem }: StemSource, part: number, keep?: KeepPart): Promise<Uint8Array> {
  const known = stored?.[part];
  if (known) return readStoredBytes(known);
  // Mostly the parts are stored. The code for downloads is large, and each thread has a copy of what it loads.
  const { downloadPart } = await import('./download-part.ts');
  const bytes = await downloadPart(urls[part]!, { song, stem });
  keep?.(bytes);
  return bytes;
}

/**
 * Downloads and decodes all of a stem as one channel, the mean of both, at 44.1 kHz. What no piece holds is silent.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable
 */
export async function readMonoStem(source: StemSource): Promise<Float32Array> {
  const mono = new MonoCollector();
  await readStem(source, (chunk, at) => mono.add(chunk, at));
  return mono.samples();
}

function stemError({ song, stem }: StemSource, error: unknown): RenderError {
  if (error instanceof RenderError) return error;
  if (error instanceof AudioError) return unusableStem({ song, stem }, error);
  return new RenderError(
    'stem_unusable',
    `The ${stem} stem of "${song}" cannot be read`,
    'Separate the song again.',
    error,
  );
}
