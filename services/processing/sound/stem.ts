/** Renders one stem of one song: downloads it, decodes what is needed, matches its level and stretches it into its runs. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { warp } from '../../../audio/time/stretch.ts';
import type { TimeMap } from '../../../audio/time/time-map.ts';
import type { Stem } from '../../../schema.ts';
import { type ChunkSink, readStem, type StemSource } from '../files/read-stem.ts';
import { type ScratchRegion, writeRegion } from '../files/scratch.ts';

/** Loudness to which each song is brought before its stems are matched, by one gain for all of them. */
const SONG_LUFS = -14;
/** Songs that are further away from `SONG_LUFS` are nearly silent, and would become noise. */
const MAX_SONG_GAIN_DB = 50;
/** Loudness to which each stem is matched before the plan's own levels apply: a usual balance of a finished mix. */
const STEM_LUFS: Record<Stem, number> = { vocals: -18, drums: -19, bass: -21, other: -22 };
/** Limit of the match of a stem, after its song has been brought to `SONG_LUFS`. */
const MAX_MATCH_DB = 14;
/**
 * Stems that are quieter, after their song has been brought to `SONG_LUFS`, are empty or hold residues of separation. Raising their
 * level would raise noise.
 */
const EMPTY_LUFS = -50;
/** Below this frequency a vocal stem holds no voice, only residues of bass and drums. */
const VOCAL_HIGH_PASS_HZ = 110;
/** Source audio before and after a run that stretching may read. */
const MARGIN_SEC = 0.5;

export type StemRun = {
  /** Seconds of the run's buffer against seconds of the song. */
  map: TimeMap;
  /** Where the run is written; its length is the length of the run. */
  region: ScratchRegion;
  semitones: number;
};

/** `songLoudness` is the integrated loudness of the whole song in LUFS; undefined if it is not known. */
export type StemTask = StemSource & { runs: StemRun[]; songLoudness: number | undefined };

/** Samples `from..to` of the song. */
type SourceRange = { from: number; to: number; channels: [Float32Array, Float32Array] };

/**
 * Downloads a stem, stretches it into its runs and writes them to their regions at the matched level.
 * @throws RenderError stem_unavailable, stem_unusable, render_failed
 */
export async function renderStem(task: StemTask): Promise<void> {
  const ranges = neededRanges(task.runs);
  await readStem(task, copyInto(ranges));
  if (task.stem === 'vocals') {
    for (const range of ranges) {
      applyFilter(range.channels, SAMPLE_RATE, { kind: 'high-pass', frequency: VOCAL_HIGH_PASS_HZ });
    }
  }
  matchLevel(ranges, task);
  for (const run of task.runs) {
    const reads = Math.floor((run.map.source[0]! - MARGIN_SEC) * SAMPLE_RATE);
    const range = ranges.find((candidate) => candidate.to > Math.max(0, reads))!;
    const origin = range.from / SAMPLE_RATE;
    const map = { output: run.map.output, source: run.map.source.map((at) => at - origin) };
    const channels = await warp(range.channels, map, {
      sampleRate: SAMPLE_RATE,
      frames: run.region.frames,
      semitones: run.semitones,
      keepFormants: task.stem === 'vocals',
      keep: task.stem === 'drums' ? 'attacks' : task.stem === 'bass' ? 'lowNotes' : 'notes',
    });
    writeRegion(run.region, channels);
  }
}

/** The parts of the song that the runs read, joined where they overlap. */
function neededRanges(runs: readonly StemRun[]): SourceRange[] {
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

/** A sink that copies the decoded chunks into the ranges that they overlap. It needs nothing behind the last range. */
function copyInto(ranges: readonly SourceRange[]): ChunkSink {
  const end = Math.max(...ranges.map(({ to }) => to));
  return (chunk, at) => {
    for (const range of ranges) {
      const from = Math.max(at, range.from);
      const to = Math.min(at + chunk[0].length, range.to);
      if (to <= from) continue;
      for (const c of [0, 1] as const) range.channels[c].set(chunk[c].subarray(from - at, to - at), from - range.from);
    }
    return at + chunk[0].length < end;
  };
}

/** Brings the song to a common loudness, then the loudest range to the loudness of its stem, and the others by the same gain. */
function matchLevel(ranges: readonly SourceRange[], { stem, songLoudness }: StemTask): void {
  amplify(ranges, Math.min(MAX_SONG_GAIN_DB, SONG_LUFS - (songLoudness ?? SONG_LUFS)));
  const loudness = Math.max(...ranges.map((range) => integratedLoudness(range.channels, SAMPLE_RATE)));
  const wanted = STEM_LUFS[stem] - loudness;
  amplify(ranges, loudness < EMPTY_LUFS ? 0 : Math.min(MAX_MATCH_DB, Math.max(-MAX_MATCH_DB, wanted)));
}

function amplify(ranges: readonly SourceRange[], gainDb: number): void {
  const gain = 10 ** (gainDb / 20);
  for (const range of ranges) {
    for (const samples of range.channels) for (let i = 0; i < samples.length; i++) samples[i]! *= gain;
  }
}
