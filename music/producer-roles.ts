/** Who does what in a mashup: one song sings, one carries the beat, a third colours. */
import type { AnalyzedSong, PairScore, PhraseMatch } from '../schema.ts';

/** Below this presence the vocals stem holds little but leakage. */
export const SINGS_FROM = 0.15;

export type Roles = {
  /** Gives the voice, or the melody where no song sings. */
  lead: AnalyzedSong;
  /** Gives drums and bass. */
  groove: AnalyzedSong;
  /** Third song: gives harmony and, where it can, a second voice in the break. */
  colour: AnalyzedSong | null;
  /** Whether the lead has a voice worth hearing. */
  sings: boolean;
};

/** Phrases that lay one song's vocals over another's bed, best first. */
export function phrasesBetween(scores: readonly PairScore[], vocalsId: string, bedId: string): PhraseMatch[] {
  return scores
    .flatMap((score) => score.phrases)
    .filter((phrase) => phrase.vocals_song_id === vocalsId && phrase.bed_song_id === bedId)
    .toSorted((a, b) => b.similarity - a.similarity || a.vocals_start_sec - b.vocals_start_sec);
}

function pairScore(scores: readonly PairScore[], a: string, b: string): number {
  return scores.find(({ song_pair }) => song_pair.includes(a) && song_pair.includes(b))?.score ?? 50;
}

function worth(lead: AnalyzedSong, groove: AnalyzedSong, scores: readonly PairScore[]): number {
  const { rhythmic, vocal } = groove.analysis;
  const phrase = phrasesBetween(scores, lead.song_id, groove.song_id)[0]?.similarity ?? 0.5;
  return (
    0.4 * lead.analysis.vocal.vocal_presence +
    0.3 * phrase +
    0.15 * ((rhythmic.beat_confidence + rhythmic.groove_stability) / 2) +
    0.1 * (1 - vocal.vocal_presence) +
    0.05 * (pairScore(scores, lead.song_id, groove.song_id) / 100)
  );
}

/**
 * Chooses the roles by vocal presence, phrase matches, steadiness of the beat and scores. `jitter` (0..1 for each call)
 * decides between choices that are as good as equal, so that another seed may give another mashup.
 */
export function chooseRoles(songs: readonly AnalyzedSong[], scores: readonly PairScore[], jitter: () => number): Roles {
  const pairs = songs.flatMap((lead) =>
    songs
      .filter((groove) => groove !== lead)
      .map((groove) => ({ lead, groove, worth: worth(lead, groove, scores) + 0.03 * jitter() })),
  );
  const best = pairs.reduce((a, b) => (b.worth > a.worth ? b : a));
  return {
    lead: best.lead,
    groove: best.groove,
    colour: songs.find((song) => song !== best.lead && song !== best.groove) ?? null,
    sings: best.lead.analysis.vocal.vocal_presence >= SINGS_FROM,
  };
}
