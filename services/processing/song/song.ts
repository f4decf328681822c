/** A song as rendering sees it: what of its analysis could be read, with its beat grid. */
import { z } from 'zod';
import { Curve, type RenderRequest, SongSection, type Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';
import { MIN_BEATS, type SongGrid, songGrid } from './beat-grid.ts';
import type { HeardSong } from './analyze-stems.ts';

/** The parts of an analysis that rendering uses; each one that is missing or odd is left out, not refused. */
const ReadableAnalysis = z.object({
  duration_sec: z.number().positive().optional().catch(undefined),
  harmonic: z
    .looseObject({
      key: z.string().catch('N/A'),
      beat_chroma: z.array(z.array(z.number()).length(12)).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  rhythmic: z
    .looseObject({
      bpm: z.number().positive().optional().catch(undefined),
      beats_sec: z.array(z.number()).optional().catch(undefined),
      downbeats_sec: z.array(z.number()).optional().catch(undefined),
      meter: z.number().int().min(2).max(7).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  vocal: z
    .looseObject({ curve: Curve.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  energy: z
    .looseObject({ curve: Curve.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  sections: z.array(SongSection).optional().catch(undefined),
});

type SentSong = RenderRequest['songs'][number];

export type RenderSong = {
  id: string;
  name: string;
  stems: Partial<Record<Stem, string>>;
  durationSec: number;
  /** `N/A` where it is not known. */
  key: string;
  grid: SongGrid;
  /** Pitch classes by beat; empty where they are not known. */
  beatChroma: number[][];
  /** 0 is the song's quietest moment and 1 its loudest. */
  energy: Curve | undefined;
  vocals: Curve | undefined;
  sections: SongSection[];
};

/** Whether the analysis that was sent has what a render needs: a duration and a beat grid. */
export function isWellKnown(song: SentSong): boolean {
  const { duration_sec, rhythmic } = ReadableAnalysis.parse(song.analysis);
  return duration_sec !== undefined && (rhythmic?.beats_sec?.length ?? 0) >= MIN_BEATS;
}

/**
 * A song of the request with its grid, and a warning for what had to be guessed.
 * @param heard what was heard in the stems, for a song that is not well known: it has the say on rhythm, and on what the
 *   analysis leaves out
 */
export function readSong(
  song: SentSong,
  heard: HeardSong | undefined,
  targetBpm: number,
): { song: RenderSong; warnings: string[] } {
  const name = song.name ?? song.song_id;
  const sent = ReadableAnalysis.parse(song.analysis);
  const own = heard?.analysis ?? undefined;
  const rhythmic = own?.rhythmic ?? sent.rhythmic;
  const warnings: string[] = [];
  if (rhythmic?.bpm === undefined) warnings.push(`The tempo of "${name}" is not known: it plays at its own speed.`);
  else if ((rhythmic.beats_sec?.length ?? 0) < MIN_BEATS) {
    warnings.push(`"${name}" has no beat grid: an even one from its tempo is used, and beats may not meet.`);
  }
  // A key without any confidence is the constant that some analyses answer.
  const keyIsKnown = sent.harmonic !== undefined && sent.harmonic.key !== 'N/A' && sent.harmonic.key_confidence !== 0;
  const durationSec = heard?.duration_sec ?? sent.duration_sec ?? rhythmic?.beats_sec?.at(-1) ?? 0;
  const grid = songGrid({ ...rhythmic, bpm: rhythmic?.bpm ?? targetBpm }, durationSec);
  return {
    song: {
      id: song.song_id,
      name,
      stems: song.stems ?? {},
      durationSec,
      key: (keyIsKnown ? sent.harmonic?.key : own?.harmonic.key) ?? sent.harmonic?.key ?? 'N/A',
      grid,
      beatChroma: sent.harmonic?.beat_chroma ?? own?.harmonic.beat_chroma ?? [],
      energy: scaleToRange(sent.energy?.curve ?? own?.energy?.curve),
      vocals: sent.vocal?.curve ?? own?.vocal.curve,
      sections: sent.sections ?? own?.sections ?? [],
    },
    warnings,
  };
}

/** The curve stretched to 0..1; undefined where it says nothing. */
function scaleToRange(curve: Curve | undefined): Curve | undefined {
  if (!curve) return undefined;
  const low = curve.values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = curve.values.reduce((a, b) => Math.max(a, b), -Infinity);
  return high > low ? { ...curve, values: curve.values.map((value) => (value - low) / (high - low)) } : undefined;
}

export function missingStems(name: string): RenderError {
  return new RenderError(
    'stems_missing',
    `The stems of "${name}" are missing`,
    'Send a signed download URL for each stem that the plan uses in songs[].stems.',
  );
}
