/**
 * All texts of a plan, made of what the plan plays: concept, descriptions of sections, reasons of layers, problems and solutions. They
 * are made again whenever the plan changes, so that no text outlives what it describes.
 */
import type { AnalyzedSong, PairScore, Plan } from '../../schema.ts';
import { MAX_PROBLEMS, MAX_TEXT_LENGTH } from '../plan/limits.ts';
import { shortenText } from '../plan/text.ts';
import { chooseParts } from '../theory/parts.ts';
import { describeConcept } from './concept.ts';
import { factsOf } from './facts.ts';
import { describeProblems } from './problems.ts';
import { describeReasons, describeSections } from './section-text.ts';
import { wordingOf } from './wording.ts';

/** What texts are made of, beside the plan. */
export type TextContext = {
  songs: readonly AnalyzedSong[];
  scores: readonly PairScore[];
  /** Chooses the wordings: mashups whose numbers differ modulo 3 share no sentence. */
  wording: number;
  /** Semitones by which the renderer shifts the songs, by song id. Absent: by their keys and that of the plan. */
  shifts?: Readonly<Record<string, number>> | undefined;
};

/** Returns the plan with texts made of it. The title stays. The same plan and context give the same texts. */
export function describePlan(plan: Plan, { songs: wholeSongs, scores, wording, shifts }: TextContext): Plan {
  const songs = chooseParts(wholeSongs);
  const say = wordingOf(wording);
  const facts = factsOf(plan);
  const descriptions = describeSections(facts, { plan, songs, say });
  const timeline = plan.masterplan.timeline.map((section, index) => {
    const reasons = describeReasons(facts[index]!, say, index);
    const layers = section.layers.map(({ why: _, ...layer }) => {
      const why = reasons.get(`${layer.songId} ${layer.stem}`);
      return why === undefined ? layer : { ...layer, why };
    });
    return { ...section, description: descriptions[index] ?? '', layers };
  });
  const problems = describeProblems(facts, { plan, songs, scores, shifts, say }).slice(0, MAX_PROBLEMS);
  return {
    creative_vision: shortenText(describeConcept(facts, { plan, songs, say }), MAX_TEXT_LENGTH),
    masterplan: { ...plan.masterplan, timeline, problems_and_solutions: problems },
  };
}
