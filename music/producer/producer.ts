/**
 * The rule-based producer: makes a plan from analyses and scores, without a language model. One song gives the voice, one
 * the beat; tempo and key are those with the smallest stretches and shifts; the arc goes from a filtered beat through a drop
 * and a break to a peak.
 *
 * The same input and seed give the same plan.
 */
import type { AnalyzedSong, PairScore, Plan, PlanLimits } from '../../schema.ts';
import { layOutBars } from '../plan/bars.ts';
import { limitsFor } from '../plan/limits.ts';
import { creditsOf } from '../plan/text.ts';
import { songBars } from '../theory/bars.ts';
import { describePlan } from '../texts/describe-plan.ts';
import { titleOf } from '../texts/title.ts';
import { chooseParts } from '../theory/parts.ts';
import { formatKey } from '../theory/keys.ts';
import { arrange } from './arrange.ts';
import { draftArc } from './draft.ts';
import { chooseRoles, type Roles, type WantedRoles } from './roles.ts';
import { chooseKey, type Weighted } from './targets.ts';
import { chooseTempi, type Targets } from './tempo.ts';

/** What the producer plans. */
export type ProducerRequest = {
  /** Two or three songs. */
  songs: AnalyzedSong[];
  scores: PairScore[];
  limits: PlanLimits;
  seed: number;
  length_sec?: number;
  /** Songs that are asked for as lead and groove. */
  roles?: WantedRoles;
};

/** Titles are chosen among this many forms. */
const TITLE_FORMS = 12;

/** Makes a plan that passes `checkPlan`. Works with analyses that have only the members of the contract. */
export function producePlan(request: ProducerRequest): Plan {
  const songs = chooseParts(request.songs);
  const scores = scoresWithin(songs, request.scores);
  const limits = limitsFor(songs, request.limits);
  const random = seededRandom(request.seed);
  const roles = chooseRoles(songs, scores, random, request.roles);
  const weighted = weighSongs(roles);
  const key = chooseKey(weighted);
  const tempi = chooseTempi(roles, weighted);
  const targets: Targets = { ...tempi, key, keyName: formatKey(key ?? { tonic: 0, mode: 'major' }) };
  const { meter } = songBars(roles.groove.analysis);
  const draft = draftArc({ songs, roles, tempi, limits, meter, lengthSec: request.length_sec });
  const global = { targetBPM: tempi.main, targetKey: targets.keyName, timeSignature: [meter, 4] as [number, number] };
  const bars = draft.arc.map((section) => section.bars);
  const sections = arrange(draft, { roles, scores, limits, targets, meter });
  const inOrder = [roles.lead, roles.groove, ...(roles.colour ? [roles.colour] : [])];
  const plan: Plan = {
    creative_vision: '',
    masterplan: {
      title: titleOf(inOrder, Math.floor(random() * TITLE_FORMS)),
      artistCredits: creditsOf(inOrder),
      global,
      timeline: layOutBars(sections, bars, global),
      problems_and_solutions: [],
    },
  };
  return describePlan(plan, { songs, scores, wording: request.seed });
}

/** The scores without phrases that lie in a part of a song that the mashup does not use. */
function scoresWithin(songs: readonly AnalyzedSong[], scores: readonly PairScore[]): PairScore[] {
  const parts = new Map(songs.map(({ song_id, analysis }) => [song_id, analysis.rhythmic.tempo_parts?.[0]]));
  const isUsed = (songId: string, atSec: number): boolean => {
    const part = parts.get(songId);
    return !part || (atSec >= part.start_sec - 0.1 && atSec < part.end_sec);
  };
  return scores.map((score) => ({
    ...score,
    phrases: score.phrases.filter(
      (phrase) =>
        isUsed(phrase.vocals_song_id, phrase.vocals_start_sec) && isUsed(phrase.bed_song_id, phrase.bed_start_sec),
    ),
  }));
}

/** Returns a generator of pseudo-random numbers in 0..1 (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Stretches and shifts are more audible on voices than on drums and bass. */
function weighSongs({ lead, groove, colour }: Roles): Weighted[] {
  return [
    { song: lead, tempoWeight: 1.2, keyWeight: 1.5 },
    { song: groove, tempoWeight: 1, keyWeight: 1 },
    ...(colour ? [{ song: colour, tempoWeight: 0.6, keyWeight: 0.6 }] : []),
  ];
}
