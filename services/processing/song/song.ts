/** A song with what rendering needs of its analysis, and its beat grid. */
import { z } from 'zod';
import { Curve, type RenderRequest, SongContent, SongSection, type Stem, TempoPart } from '../../../schema.ts';
import { soundSpans } from '../../../music/theory/sound-spans.ts';
import type { SoundSpan } from '../../../music/theory/sound-spans.ts';
import { RenderError } from '../errors.ts';
import { MIN_BEATS, type BeatGrid, buildBeatGrid } from './beat-grid.ts';
import { gridOfPart, playedPart } from './played-part.ts';
import { type SongPieces, songPieces, urlsOf } from './song-pieces.ts';
import type { StemAnalysis } from './analyze-stems.ts';

/** The members of an analysis that rendering uses. A member that is missing or invalid is left out, not rejected. */
const ReadableAnalysis = z.object({
  duration_sec: z.number().positive().optional().catch(undefined),
  harmonic: z
    .looseObject({
      key: z.string().catch('N/A'),
      tuning_cents: z.number().min(-50).max(50).optional().catch(undefined),
      tuning_confidence: z.number().optional().catch(undefined),
      beat_chroma: z.array(z.array(z.number()).length(12)).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  rhythmic: z
    .looseObject({
      bpm: z.number().positive().optional().catch(undefined),
      beats_sec: z.array(z.number()).optional().catch(undefined),
      downbeats_sec: z.array(z.number()).optional().catch(undefined),
      has_beat: z.boolean().optional().catch(undefined),
      meter: z.number().int().min(2).max(7).nullish().catch(undefined),
      tempo_parts: z.array(TempoPart).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  loudness: z
    .looseObject({ integrated_lufs: z.number().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  content: SongContent.optional().catch(undefined),
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

/** Songs whose notes agree less about their tuning keep it. The confidence of music is 0.5 and more, that of drums below 0.2. */
const MIN_TUNING_CONFIDENCE = 0.4;

type SentSong = RenderRequest['songs'][number];

export type RenderSong = {
  id: string;
  name: string;
  /** URLs of the files of each stem. */
  stems: Partial<Record<Stem, readonly string[]>>;
  /** What the stems hold; undefined for the whole song. */
  pieces?: SongPieces;
  /** End of the song, or of the part of it that is used. */
  durationSec: number;
  /** `N/A` if it is not known. */
  key: string;
  /** Tuning in cents above A = 440 Hz, to which the key and the pitch classes refer; undefined if it is not known well. */
  tuningCents: number | undefined;
  grid: BeatGrid;
  /** False for sound without a beat: its grid is only a scale of time. */
  hasBeat: boolean;
  /** Twelve pitch classes for each beat; empty if they are not known. */
  beatChroma: number[][];
  /** 0 is the quietest moment of the song and 1 the loudest. */
  energy: Curve | undefined;
  /** Presence of singing, 0..1. */
  vocals: Curve | undefined;
  sections: SongSection[];
  /** Where the song sounds. */
  sound: readonly SoundSpan[];
  /** Where its drums sound; undefined if it is not known. */
  drumSound: readonly SoundSpan[] | undefined;
  /** Integrated loudness in LUFS; undefined if it is not known. */
  loudness: number | undefined;
};

/** Whether the analysis in the request has what a render needs: a duration and a beat grid. */
export function hasBeatGrid(song: SentSong): boolean {
  const { duration_sec, rhythmic } = ReadableAnalysis.parse(song.analysis);
  return duration_sec !== undefined && (rhythmic?.beats_sec?.length ?? 0) >= MIN_BEATS;
}

/**
 * Reads a song of the request and builds its beat grid. Returns warnings for what had to be guessed.
 * @param fromStems the analysis of the stems, for a song without a beat grid. It decides on rhythm, and on what the analysis in
 *   the request leaves out
 * @param targetBpm tempo that is used if the song's own is not known
 * @param startsSec where the layers of the plan start in the song, which tells the part that a song with several is reduced to
 */
export function readSong(
  song: SentSong,
  fromStems: StemAnalysis | undefined,
  targetBpm: number,
  startsSec: readonly number[] = [],
): { song: RenderSong; warnings: string[] } {
  const name = song.name ?? song.song_id;
  const sent = ReadableAnalysis.parse(song.analysis);
  const own = fromStems?.analysis ?? undefined;
  const rhythmic = own?.rhythmic ?? sent.rhythmic;
  const warnings: string[] = [];
  if (rhythmic?.bpm === undefined) warnings.push(`The tempo of "${name}" is not known: it is not stretched.`);
  else if ((rhythmic.beats_sec?.length ?? 0) < MIN_BEATS) {
    warnings.push(`"${name}" has no beat grid: an even one is made from its tempo, and its beats may be out of time.`);
  }
  // Some analyses return a constant key with a confidence of 0.
  const keyIsKnown = sent.harmonic !== undefined && sent.harmonic.key !== 'N/A' && sent.harmonic.key_confidence !== 0;
  const songSec = fromStems?.duration_sec ?? sent.duration_sec ?? rhythmic?.beats_sec?.at(-1) ?? 0;
  const part = playedPart(rhythmic?.tempo_parts ?? [], startsSec, targetBpm);
  const durationSec = Math.min(songSec, part?.end_sec ?? songSec);
  const grid = part
    ? buildBeatGrid(gridOfPart(rhythmic ?? {}, part), durationSec, part.start_sec)
    : buildBeatGrid({ ...rhythmic, bpm: rhythmic?.bpm ?? targetBpm }, durationSec);
  return {
    song: {
      id: song.song_id,
      name,
      stems: stemUrls(song.stems ?? {}),
      pieces: songPieces(song.stems ?? {}),
      durationSec,
      key: (keyIsKnown ? sent.harmonic?.key : own?.harmonic.key) ?? sent.harmonic?.key ?? 'N/A',
      tuningCents: knownTuning(sent.harmonic) ?? knownTuning(own?.harmonic),
      grid,
      hasBeat: rhythmic?.has_beat !== false,
      beatChroma: sent.harmonic?.beat_chroma ?? own?.harmonic.beat_chroma ?? [],
      energy: scaleToRange(sent.energy?.curve ?? own?.energy?.curve),
      vocals: sent.vocal?.curve ?? own?.vocal.curve,
      sections: sent.sections ?? own?.sections ?? [],
      sound: soundSpans(sent.energy?.curve ?? own?.energy?.curve, durationSec, {
        pauses: (sent.content ?? own?.content) !== 'acapella',
      }),
      drumSound: undefined,
      loudness: own?.loudness?.integrated_lufs ?? sent.loudness?.integrated_lufs,
    },
    warnings,
  };
}

/** The tuning in cents, if the analysis is confident of it. */
function knownTuning(
  harmonic: { tuning_cents?: number | undefined; tuning_confidence?: number | undefined } | undefined,
): number | undefined {
  return (harmonic?.tuning_confidence ?? 0) >= MIN_TUNING_CONFIDENCE ? harmonic?.tuning_cents : undefined;
}

function stemUrls(stems: NonNullable<SentSong['stems']>): RenderSong['stems'] {
  return Object.fromEntries(Object.entries(stems).map(([stem, files]) => [stem, urlsOf(files)]));
}

/** Scales a curve to 0..1; undefined for a constant curve. */
function scaleToRange(curve: Curve | undefined): Curve | undefined {
  if (!curve) return undefined;
  const low = curve.values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = curve.values.reduce((a, b) => Math.max(a, b), -Infinity);
  return high > low ? { ...curve, values: curve.values.map((value) => (value - low) / (high - low)) } : undefined;
}

/** The error for a song without the stems that the plan uses. */
export function stemsMissingError(name: string): RenderError {
  return new RenderError(
    'stems_missing',
    `The stems of "${name}" are missing`,
    'Send a signed download URL for each stem that the plan uses in songs[].stems.',
  );
}
