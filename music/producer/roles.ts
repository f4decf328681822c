/** Roles of the songs in a mashup: the lead gives the voice, the groove the beat, a third song colour. */
import type { AnalyzedSong, PairScore, PhraseMatch } from '../../schema.ts';
import { songBars, vocalRange, type SongBars } from '../theory/bars.ts';
import { contentOf, singsAtAll, usableStems } from '../theory/content.ts';
import { haveCommonTempo } from './targets.ts';

/** Below this vocal presence a voice cannot lead a section: it would be nearly silent. */
export const MIN_LEAD_PRESENCE = 0.2;
/** Length of the phrases by which a song's voice is rated. */
const PHRASE_BARS = 8;
/** Penalty for a groove with another meter than four under a lead with four beats per bar. */
const ODD_METER_PENALTY = 0.08;
/** Penalty for other pairs with different or unknown meters. */
const OTHER_METER_PENALTY = 0.04;
/** Penalty for a pair without a common tempo: its voice would have no beat. */
const NO_COMMON_TEMPO_PENALTY = 0.3;
/** Penalty for a groove without drums. It exceeds all other ratings. */
const NO_GROOVE_PENALTY = 2;
/** Bonus for voices alone as the lead: they have nothing else to give. */
const VOICES_ALONE_BONUS = 1;
/** Penalty on a phrase's similarity for each semitone between its shift and the mashup's: about that of a wrong note. */
const SHIFT_PENALTY = 0.04;

/** Whether a song can give drums and bass. */
function canGroove(song: AnalyzedSong): boolean {
  return usableStems(song).includes('drums');
}

/** Ids of the songs that are asked for as lead and groove. */
export type WantedRoles = { lead?: string; groove?: string };

/** Roles of the two or three songs. */
export type Roles = {
  /** Gives the voice, or the melody if no song has vocals. */
  lead: AnalyzedSong;
  /** Gives drums and bass. */
  groove: AnalyzedSong;
  /** The third song: gives harmony and, if it has vocals, a second voice in the break. */
  colour: AnalyzedSong | null;
  /** Whether the lead has audible vocals. */
  sings: boolean;
  /** Whether lead and groove have no common tempo. */
  twoTempi: boolean;
  /** Whether no song can give drums and bass: all play in free time, or are voices alone. */
  withoutGroove: boolean;
  /** Whether lead and groove have a common tempo that the third song cannot be brought to. */
  colourIsFree: boolean;
};

/**
 * Returns the phrase matches of one song's vocals with another song's bed, best first.
 * @param shift semitones by which the mashup's key shifts the vocals against the bed: matches with another shift are ranked
 *   lower
 */
export function phrasesBetween(
  scores: readonly PairScore[],
  vocalsId: string,
  bedId: string,
  shift?: number,
): PhraseMatch[] {
  const rank = ({ similarity, key_shift }: PhraseMatch): number =>
    similarity - (shift === undefined ? 0 : SHIFT_PENALTY * shiftDistance(key_shift, shift));
  return scores
    .flatMap((score) => score.phrases)
    .filter((phrase) => phrase.vocals_song_id === vocalsId && phrase.bed_song_id === bedId)
    .toSorted((a, b) => rank(b) - rank(a) || a.vocals_start_sec - b.vocals_start_sec);
}

/** Returns the distance of two shifts, 0..6 semitones: octaves are ignored. */
function shiftDistance(a: number, b: number): number {
  const distance = Math.abs(a - b) % 12;
  return Math.min(distance, 12 - distance);
}

function pairScore(scores: readonly PairScore[], a: string, b: string): number {
  return scores.find(({ song_pair }) => song_pair.includes(a) && song_pair.includes(b))?.score ?? 50;
}

/**
 * Rates a lead and a groove. The voice counts by its best phrase and the bed by its least sung one: few songs are sung from
 * end to end.
 */
function rateRoles(lead: AnalyzedSong, groove: AnalyzedSong, scores: readonly PairScore[]): number {
  const { rhythmic } = groove.analysis;
  const phrase = phrasesBetween(scores, lead.song_id, groove.song_id)[0]?.similarity ?? 0.5;
  const voice = 0.5 * vocalRange(lead.analysis, PHRASE_BARS).most + 0.5 * lead.analysis.vocal.vocal_presence;
  return (
    0.4 * voice +
    0.3 * phrase +
    0.15 * ((rhythmic.beat_confidence + rhythmic.groove_stability) / 2) +
    0.1 * (1 - vocalRange(groove.analysis, PHRASE_BARS).least) +
    0.05 * (pairScore(scores, lead.song_id, groove.song_id) / 100) -
    meterPenalty(songBars(lead.analysis), songBars(groove.analysis))
  );
}

/** A pair whose bars cannot coincide is a worse one, most of all if the groove is in no common meter. */
function meterPenalty(lead: SongBars, groove: SongBars): number {
  if (groove.meter !== 4 && lead.meter === 4) return ODD_METER_PENALTY;
  return groove.meter !== lead.meter || !groove.meterKnown || !lead.meterKnown ? OTHER_METER_PENALTY : 0;
}

/**
 * Chooses the roles by vocal presence, phrase matches, stability of the beat and pair scores.
 * @param jitter returns 0..1 on each call; decides between nearly equal choices, so that seeds lead to different mashups
 * @param wanted songs that are asked for as lead and groove; ignored where no pair of songs has them
 */
export function chooseRoles(
  songs: readonly AnalyzedSong[],
  scores: readonly PairScore[],
  jitter: () => number,
  wanted: WantedRoles = {},
): Roles {
  const all = songs.flatMap((lead) =>
    songs
      .filter((groove) => groove !== lead)
      .map((groove) => {
        const twoTempi = !haveCommonTempo([lead, groove]);
        const penalty = (twoTempi ? NO_COMMON_TEMPO_PENALTY : 0) + (canGroove(groove) ? 0 : NO_GROOVE_PENALTY);
        const bonus = contentOf(lead) === 'acapella' ? VOICES_ALONE_BONUS : 0;
        return { lead, groove, twoTempi, rating: rateRoles(lead, groove, scores) + bonus + 0.03 * jitter() - penalty };
      }),
  );
  const isWanted = ({ lead, groove }: (typeof all)[number]): boolean =>
    (wanted.lead ?? lead.song_id) === lead.song_id && (wanted.groove ?? groove.song_id) === groove.song_id;
  const pairs = all.some(isWanted) ? all.filter(isWanted) : all;
  const best = pairs.reduce((a, b) => (b.rating > a.rating ? b : a));
  const colour = songs.find((song) => song !== best.lead && song !== best.groove) ?? null;
  return {
    lead: best.lead,
    groove: best.groove,
    colour,
    sings: singsAtAll(best.lead),
    twoTempi: best.twoTempi,
    withoutGroove: !canGroove(best.groove),
    colourIsFree: !best.twoTempi && colour !== null && !haveCommonTempo([best.lead, best.groove, colour]),
  };
}
