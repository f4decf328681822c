/** A song as rendering sees it: what of its analysis could be read, with its beat grid. */
import { z } from 'zod';
import { Curve, type RenderRequest, SongSection, type Stem } from '../../schema.ts';
import { RenderError } from './errors.ts';
import { type SongGrid, songGrid } from './grid.ts';

/** The parts of an analysis that rendering uses; each one that is missing or odd is left out, not refused. */
const ReadableAnalysis = z.object({
  duration_sec: z.number().positive().optional().catch(undefined),
  harmonic: z
    .looseObject({ key: z.string().catch('N/A') })
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

export type RenderSong = {
  id: string;
  name: string;
  stems: Partial<Record<Stem, string>>;
  durationSec: number;
  /** `N/A` where it is not known. */
  key: string;
  grid: SongGrid;
  /** 0 is the song's quietest moment and 1 its loudest. */
  energy: Curve | undefined;
  vocals: Curve | undefined;
  sections: SongSection[];
};

/** A song of the request with its grid, and a warning for what had to be guessed. `durationSec` is that of its stems. */
export function readSong(
  song: RenderRequest['songs'][number],
  durationSec: number,
  targetBpm: number,
): { song: RenderSong; warnings: string[] } {
  const name = song.name ?? song.song_id;
  if (!song.stems || Object.keys(song.stems).length === 0) throw missingStems(name);
  const analysis = ReadableAnalysis.parse(song.analysis);
  const bpm = analysis.rhythmic?.bpm;
  const warnings: string[] = [];
  if (bpm === undefined) warnings.push(`The tempo of "${name}" is not known: it plays at its own speed.`);
  else if ((analysis.rhythmic?.beats_sec?.length ?? 0) === 0) {
    warnings.push(`"${name}" has no beat grid: an even one from its tempo is used, and beats may not meet.`);
  }
  return {
    song: {
      id: song.song_id,
      name,
      stems: song.stems,
      durationSec,
      key: analysis.harmonic?.key ?? 'N/A',
      grid: songGrid({ ...analysis.rhythmic, bpm: bpm ?? targetBpm }, durationSec),
      energy: scaleToRange(analysis.energy?.curve),
      vocals: analysis.vocal?.curve,
      sections: analysis.sections ?? [],
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

/** Duration that the analysis states, if it does. */
export function statedDuration(song: RenderRequest['songs'][number]): number | undefined {
  return ReadableAnalysis.parse(song.analysis).duration_sec;
}
