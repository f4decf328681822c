/** Decodes the parts of a stem that runs read, and finds the gain that matches its level. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import type { Stem } from '../../../schema.ts';
import { readStemRanges, type StemRange, type StemSource } from '../files/read-stem.ts';
import { type ScratchFile, storeBytes, type StoredBytes } from '../files/scratch.ts';
import { joinRanges, missingRanges, PieceCollector, readPieces, type StemPiece } from '../files/stem-pieces.ts';
import { STEM_LUFS } from './stem-levels.ts';

/** Loudness to which each song is brought before its stems are matched, by one gain for all of them. */
const SONG_LUFS = -14;
/** Songs that are further away from `SONG_LUFS` are nearly silent, and would become noise. */
const MAX_SONG_GAIN_DB = 50;
/** Limit of the match of a stem, after its song has been brought to `SONG_LUFS`. */
const MAX_MATCH_DB = 14;
/**
 * Stems that are quieter, after their song has been brought to `SONG_LUFS`, are empty or hold residues of separation. Raising their
 * level would raise noise.
 */
const EMPTY_LUFS = -50;
/** Below this frequency a vocal stem holds no voice, only residues of bass and drums. */
const VOCAL_HIGH_PASS_HZ = 110;

export type StemTask = StemSource & {
  scratch: ScratchFile;
  /** What is decoded already, and whether it is the whole stem. */
  pieces: readonly StemPiece[];
  isWhole: boolean;
  /** What the runs read of the stem. */
  ranges: readonly StemRange[];
  /** Integrated loudness of the whole song in LUFS; undefined if it is not known. */
  songLoudness: number | undefined;
  /** Whether the gain is known already. */
  isMatched: boolean;
};

/** `pieces` are the new ones, `stored` all downloaded parts. */
export type LoadedStem = { pieces: StemPiece[]; stored: StoredBytes[]; gain: number | undefined };

/**
 * Downloads a stem, unless it is stored, decodes the ranges that no piece holds, and measures the gain that matches its level.
 * @throws RenderError stem_unavailable, stem_unusable, render_failed
 */
export async function loadStem(task: StemTask): Promise<LoadedStem> {
  const collector = new PieceCollector(task.isWhole ? [] : missingRanges(task.ranges, task.pieces));
  const stored = [...(task.stored ?? [])];
  if (collector.pieces.length > 0)
    await readStemRanges(
      task,
      collector.pieces.map(({ from, channels }): StemRange => [from, from + channels[0].length]),
      (chunk, at) => collector.add(chunk, at),
      (bytes) => stored.push(storeBytes(task.scratch, bytes)),
    );
  const gain = task.isMatched ? undefined : matchGain([...task.pieces, ...collector.pieces], task);
  return { pieces: collector.pieces, stored, gain };
}

/**
 * Reads samples `from..to` of a stem at the gain of its match; of vocals only what lies in the range of voices.
 * @returns two channels; what the song does not have is silent
 */
export function readMatched(
  pieces: readonly StemPiece[],
  { stem, gain, from, to }: { stem: Stem; gain: number; from: number; to: number },
): [Float32Array, Float32Array] {
  const channels = readPieces(pieces, from, to, gain);
  if (stem === 'vocals') applyFilter(channels, SAMPLE_RATE, { kind: 'high-pass', frequency: VOCAL_HIGH_PASS_HZ });
  return channels;
}

/** The gain that brings the song to a common loudness, and then the loudest range to the loudness of its stem. */
function matchGain(pieces: readonly StemPiece[], { stem, songLoudness, ranges }: StemTask): number {
  const songGain = decibels(Math.min(MAX_SONG_GAIN_DB, SONG_LUFS - (songLoudness ?? SONG_LUFS)));
  const loudness = joinRanges(ranges).map(([from, to]) =>
    integratedLoudness(readMatched(pieces, { stem, gain: songGain, from, to }), SAMPLE_RATE),
  );
  const loudest = Math.max(...loudness);
  if (loudest < EMPTY_LUFS) return songGain;
  return songGain * decibels(Math.min(MAX_MATCH_DB, Math.max(-MAX_MATCH_DB, STEM_LUFS[stem] - loudest)));
}

const decibels = (gainDb: number): number => 10 ** (gainDb / 20);
