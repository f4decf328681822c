/** Who does what in a mashup: one song sings, one carries the beat, a third colours. */
import type { AnalyzedSong, PairScore, PhraseMatch } from '../../schema.ts';
import { songGrid, vocalRange } from '../theory/bars.ts';
import { canAllMeet } from './targets.ts';

/** Below this presence the vocals stem holds little but leakage. */
const SINGS_FROM = 0.15;
/** A stretch that is sung less than this would fall silent where its voice is to lead. */
export const SILENT_BELOW = 0.2;
/** Length of a phrase that one listens for in a song. */
const PHRASE_BARS = 8;
/** What an odd metre takes off a song's worth as the beat under one that counts in four. */
const ODD_METER_COST = 0.08;
/** What it takes off a pair that no tempo suits both: a voice without a beat under it is second best. */
const APART_COST = 0.3;
/** What a semitone between a phrase's shift and the mashup's takes off its likeness: about what a wrong note weighs. */
const SHIFT_COST = 0.04;

/** Whether a song has a voice worth hearing. */
export function singsAtAll(song: AnalyzedSong): boolean {
  return song.analysis.vocal.vocal_presence >= SINGS_FROM;
}

export type Roles = {
  /** Gives the voice, or the melody where no song sings. */
  lead: AnalyzedSong;
  /** Gives drums and bass. */
  groove: AnalyzedSong;
  /** Third song: gives harmony and, where it can, a second voice in the break. */
  colour: AnalyzedSong | null;
  /** Whether the lead has a voice worth hearing. */
  sings: boolean;
  /** Whether lead and groove are too far apart in tempo to play to one beat. */
  apart: boolean;
  /** Whether the third song is too far from the other two, which can meet. */
  guest: boolean;
};

/**
 * Phrases that lay one song's vocals over another's bed, best first. With `shift`, by how well they fit when the vocals are
 * shifted by that many semitones against the bed, which the mashup's key decides for all of them.
 */
export function phrasesBetween(
  scores: readonly PairScore[],
  vocalsId: string,
  bedId: string,
  shift?: number,
): PhraseMatch[] {
  const worthOf = ({ similarity, key_shift }: PhraseMatch): number =>
    similarity - (shift === undefined ? 0 : SHIFT_COST * semitonesApart(key_shift, shift));
  return scores
    .flatMap((score) => score.phrases)
    .filter((phrase) => phrase.vocals_song_id === vocalsId && phrase.bed_song_id === bedId)
    .toSorted((a, b) => worthOf(b) - worthOf(a) || a.vocals_start_sec - b.vocals_start_sec);
}

/** Distance of two shifts, 0..6: an octave is the same note. */
function semitonesApart(a: number, b: number): number {
  const apart = Math.abs(a - b) % 12;
  return Math.min(apart, 12 - apart);
}

function pairScore(scores: readonly PairScore[], a: string, b: string): number {
  return scores.find(({ song_pair }) => song_pair.includes(a) && song_pair.includes(b))?.score ?? 50;
}

/** A voice is judged by its best phrase and a bed by its least sung one: few songs are sung from end to end. */
function worth(lead: AnalyzedSong, groove: AnalyzedSong, scores: readonly PairScore[]): number {
  const { rhythmic } = groove.analysis;
  const phrase = phrasesBetween(scores, lead.song_id, groove.song_id)[0]?.similarity ?? 0.5;
  const voice = 0.5 * vocalRange(lead.analysis, PHRASE_BARS).most + 0.5 * lead.analysis.vocal.vocal_presence;
  return (
    0.4 * voice +
    0.3 * phrase +
    0.15 * ((rhythmic.beat_confidence + rhythmic.groove_stability) / 2) +
    0.1 * (1 - vocalRange(groove.analysis, PHRASE_BARS).least) +
    0.05 * (pairScore(scores, lead.song_id, groove.song_id) / 100) -
    (songGrid(groove.analysis).meter !== 4 && songGrid(lead.analysis).meter === 4 ? ODD_METER_COST : 0)
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
      .map((groove) => {
        const apart = !canAllMeet([lead, groove]);
        return { lead, groove, apart, worth: worth(lead, groove, scores) + 0.03 * jitter() - (apart ? APART_COST : 0) };
      }),
  );
  const best = pairs.reduce((a, b) => (b.worth > a.worth ? b : a));
  const colour = songs.find((song) => song !== best.lead && song !== best.groove) ?? null;
  return {
    lead: best.lead,
    groove: best.groove,
    colour,
    sings: singsAtAll(best.lead),
    apart: best.apart,
    guest: !best.apart && colour !== null && !canAllMeet([best.lead, best.groove, colour]),
  };
}
