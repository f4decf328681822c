/** One stem of one song: fetched, decoded as far as it is needed, levelled and stretched into its runs. */
import { AudioError } from '../../../audio/errors.ts';
import { openAudio, SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { FetchAudioError, fetchAudio } from '../../http/fetch-audio.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { warp } from '../../../audio/time/stretch.ts';
import type { TimeMap } from '../../../audio/time/time-map.ts';
import type { Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';
import { reconnecting } from '../files/retry-connection.ts';
import { type Spot, writeSpot } from '../files/scratch.ts';

/** Largest stem that is downloaded: 15 minutes of 24-bit stereo. */
const MAX_STEM_BYTES = 256 * 1024 * 1024;
const STEM_TIMEOUT_MS = 60_000;
const MAX_STEM_SEC = 960;

/** Loudness that each stem is brought to before the plan's own levels: a usual balance of a finished mix. */
const STEM_LUFS: Record<Stem, number> = { vocals: -18, drums: -19, bass: -21, other: -22 };
const MAX_MATCH_DB = 14;
/** Quieter stems are empty, or rests of a separation: bringing them up would bring up noise. */
const EMPTY_LUFS = -50;
/** Under this there is no voice, only what separation left of the bass and the drums. */
const VOCAL_HIGH_PASS_HZ = 110;
/** Source audio around a run that its stretching may read. */
const MARGIN_SEC = 0.5;

export type StemRun = {
  /** Output seconds (from the start of the run's buffer) against seconds of the song. */
  map: TimeMap;
  /** Where the run is written to; its length is the run's. */
  spot: Spot;
  semitones: number;
};

export type StemPlace = { url: string; song: string; stem: Stem };
export type StemTask = StemPlace & { runs: StemRun[] };

type Range = { from: number; to: number; channels: [Float32Array, Float32Array] };

/** The parts of the song that the runs read, in samples, joined where they overlap. */
function neededRanges(runs: readonly StemRun[]): Range[] {
  const spans = runs
    .map(({ map }): [number, number] => [
      Math.max(0, Math.floor((map.source[0]! - MARGIN_SEC) * SAMPLE_RATE)),
      Math.max(1, Math.ceil((map.source.at(-1)! + MARGIN_SEC) * SAMPLE_RATE)),
    ])
    .sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined.map(([from, to]) => ({
    from,
    to,
    channels: [new Float32Array(to - from), new Float32Array(to - from)],
  }));
}

/** Takes a piece of a stem; `at` is the sample at which it starts. */
type ChunkSink = (chunk: [Float32Array, Float32Array], at: number) => void;

/**
 * Fetches and decodes a stem piece by piece. A silent stem is fine: not every song has each.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function readStem({ url, song, stem }: StemPlace, sink: ChunkSink): Promise<void> {
  await guarded(song, stem, async () => {
    const bytes = await fetchStem(url);
    const stream = openAudio(bytes, { limits: { minSec: 0, maxSec: MAX_STEM_SEC, maxBytes: MAX_STEM_BYTES } });
    let at = 0;
    try {
      for await (const chunk of stream.chunks) {
        sink(chunk, at);
        at += chunk[0].length;
      }
    } catch (error) {
      if (!(error instanceof AudioError && error.code === 'audio_silent')) throw error;
    }
  });
}

/** Copies what a piece has of each range. */
function keepRanges(ranges: readonly Range[]): ChunkSink {
  return (chunk, at) => {
    for (const range of ranges) {
      const from = Math.max(at, range.from);
      const to = Math.min(at + chunk[0].length, range.to);
      if (to <= from) continue;
      for (const c of [0, 1] as const) range.channels[c].set(chunk[c].subarray(from - at, to - at), from - range.from);
    }
  };
}

function fetchStem(url: string): Promise<Uint8Array> {
  return reconnecting(
    () => fetchAudio(url, { maxBytes: MAX_STEM_BYTES, timeoutMs: STEM_TIMEOUT_MS }),
    (error) => error instanceof FetchAudioError && error.status === null,
  );
}

async function guarded<T>(song: string, stem: Stem, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AudioError) {
      throw new RenderError(
        'stem_unusable',
        `The ${stem} stem of "${song}" cannot be used: ${error.message}`,
        error.hint,
        error,
      );
    }
    throw new RenderError(
      'stem_unavailable',
      `The ${stem} stem of "${song}" could not be downloaded`,
      'Render again with fresh signed URLs; separate the song again if the stem is gone.',
      error,
    );
  }
}

/**
 * Fetches and stretches one stem, and writes its runs to their spots at the stem's matched level.
 * @throws RenderError stem_unavailable, stem_unusable, render_failed
 */
export async function renderStem(task: StemTask): Promise<void> {
  const ranges = neededRanges(task.runs);
  await readStem(task, keepRanges(ranges));
  if (task.stem === 'vocals') {
    for (const range of ranges) {
      applyFilter(range.channels, SAMPLE_RATE, { kind: 'high-pass', frequency: VOCAL_HIGH_PASS_HZ });
    }
  }
  const loudness = Math.max(...ranges.map((range) => integratedLoudness(range.channels, SAMPLE_RATE)));
  const wanted = STEM_LUFS[task.stem] - loudness;
  const gainDb = loudness < EMPTY_LUFS ? 0 : Math.min(MAX_MATCH_DB, Math.max(-MAX_MATCH_DB, wanted));
  const gain = 10 ** (gainDb / 20);
  for (const range of ranges) {
    for (const samples of range.channels) for (let i = 0; i < samples.length; i++) samples[i]! *= gain;
  }

  for (const run of task.runs) {
    const reads = Math.floor((run.map.source[0]! - MARGIN_SEC) * SAMPLE_RATE);
    const range = ranges.find((candidate) => candidate.to > Math.max(0, reads))!;
    const origin = range.from / SAMPLE_RATE;
    const map = { output: run.map.output, source: run.map.source.map((at) => at - origin) };
    const channels = await warp(range.channels, map, {
      sampleRate: SAMPLE_RATE,
      frames: run.spot.frames,
      semitones: run.semitones,
      keepFormants: task.stem === 'vocals' && run.semitones !== 0,
    });
    writeSpot(run.spot, channels);
  }
}
