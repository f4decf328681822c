/**
 * Third correction: other phrases. Where a voice does not fit the notes under it, its song or the song under it plays other bars, and
 * if necessary both are shifted. All voices are considered together, since a shift that helps one may harm another.
 */
import { PITCH_CLASSES, profileCorrelation } from '../measure/chroma.ts';
import { shiftsKey, startKey } from '../plan/tuning.ts';
import { isInTune } from '../quality/harmony.ts';
import { type Correction, shiftMessage } from './correction.ts';
import {
  findPhraseCandidates,
  type PhraseCandidate,
  type PhraseTask,
  type SectionCandidates,
} from './phrase-candidates.ts';
import { cheapestTransposition, rotated } from './transposition.ts';

/** Other bars of either song must fit this much better than the planned ones, in correlation. A choice. */
const COST_OF_MOVING = 0.03;
/** What bars that another section already plays cost, in correlation. A choice. */
const COST_OF_REPEATING = 0.05;
/** Starts within this time are the same bars, in seconds. */
const SAME_START_SEC = 0.1;

type Profiles = Pick<PhraseCandidate, 'voice' | 'bed'>;
/** The chosen phrase of a singer in a section. */
type Choice = { group: SectionCandidates; candidate: PhraseCandidate };
/** Semitones by which a voice is higher against the music under it than in its song. */
type RaiseIn = (group: SectionCandidates) => number;
/** Changes of the shifts in semitones, by song. */
type ShiftChanges = ReadonlyMap<string, number>;

/**
 * Finds other phrases, and if necessary another shift, with which fewer voices should be out of tune; undefined if there are none.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function changePhrases(task: PhraseTask): Promise<Correction | undefined> {
  const { tuning, outOfTune, triedShifts } = task;
  const groups = await findPhraseCandidates(task);
  const singers = [...new Set(groups.map(({ singer }) => singer))];
  let best: { choices: Choice[]; changes: ShiftChanges; failing: number; fit: number } | undefined;
  for (const mover of outOfTune)
    for (let raise = 0; raise < PITCH_CLASSES; raise++) {
      const transposition = cheapestTransposition(raise, mover, tuning.semitones);
      if (!transposition) continue;
      const changeOf = (id: string): number => (id === mover ? transposition.voice : transposition.others);
      const changes = new Map([...tuning.semitones.keys()].map((id) => [id, changeOf(id)]));
      // Stems predict the mix only roughly: a shift whose prediction was wrong once is not tried again.
      if (triedShifts.has(shiftsKey(new Map([...tuning.semitones].map(([id, now]) => [id, now + changeOf(id)])))))
        continue;
      const raiseIn: RaiseIn = ({ singer, bed }) =>
        (tuning.semitones.get(singer) ?? 0) +
        (changes.get(singer) ?? 0) -
        (bed === undefined ? 0 : (changes.get(bed) ?? 0));
      const found = singers.map((singer) => chooseFor(singer, groups, outOfTune, raiseIn));
      const failing = found.filter(({ correlations }) => !isInTune(correlations)).length;
      const fit = Math.min(...found.map(({ correlations }) => correlations[0]!)) - transposition.cost;
      if (failing >= outOfTune.length) continue;
      if (best && (failing > best.failing || (failing === best.failing && fit <= best.fit))) continue;
      best = { choices: found.flatMap(({ choices }) => choices), changes, failing, fit };
    }
  return best && toCorrection(task, best.choices, best.changes);
}

/** The choices of one singer: the planned phrases if they are in tune, otherwise the best ones. */
function chooseFor(
  singer: string,
  groups: readonly SectionCandidates[],
  outOfTune: readonly string[],
  raiseIn: RaiseIn,
): { choices: Choice[]; correlations: number[] } {
  const own = groups.filter((group) => group.singer === singer);
  const planned = own.map((group) => ({ group, candidate: group.candidates[0]! }));
  const asPlanned = correlationsOf(planned, raiseIn);
  if (!outOfTune.includes(singer) && isInTune(asPlanned)) return { choices: planned, correlations: asPlanned };
  const choices = chooseBest(own, raiseIn);
  return { choices, correlations: correlationsOf(choices, raiseIn) };
}

/** The best candidate of each group. */
function chooseBest(groups: readonly SectionCandidates[], raiseIn: RaiseIn): Choice[] {
  const chosen: Choice[] = [];
  for (const group of groups) {
    const raise = raiseIn(group);
    const scoreOf = (candidate: PhraseCandidate): number =>
      profileCorrelation(candidate.voice, candidate.bed, raise) -
      COST_OF_MOVING * (Number(candidate.moved) + Number(candidate.bedStartSec !== undefined)) -
      (isRepeated(chosen, ({ startSec }) => startSec, candidate) ? COST_OF_REPEATING : 0) -
      (isRepeated(chosen, ({ bedStartSec }) => bedStartSec, candidate) ? COST_OF_REPEATING : 0);
    let best = group.candidates[0]!;
    let bestScore = scoreOf(best);
    for (const candidate of group.candidates) {
      const score = scoreOf(candidate);
      if (score > bestScore + 1e-9) [best, bestScore] = [candidate, score];
    }
    chosen.push({ group, candidate: best });
  }
  return chosen;
}

/** Whether a candidate plays bars that were chosen already. */
function isRepeated(
  chosen: readonly Choice[],
  startOf: (candidate: PhraseCandidate) => number | undefined,
  candidate: PhraseCandidate,
): boolean {
  const at = startOf(candidate);
  if (at === undefined) return false;
  return chosen.some((other) => Math.abs((startOf(other.candidate) ?? Infinity) - at) < SAME_START_SEC);
}

/** Correlation of all chosen phrases together, with the voices transposed up by 0..11 semitones from where `raiseIn` puts them. */
function correlationsOf(choices: readonly Choice[], raiseIn: RaiseIn): number[] {
  // Each profile is raised first, so that phrases at different shifts can be summed.
  const raised = choices.map(({ group, candidate }): Profiles => {
    return { voice: rotated(candidate.voice, -raiseIn(group)), bed: candidate.bed };
  });
  const sum = (member: 'voice' | 'bed'): number[] =>
    Array.from({ length: PITCH_CLASSES }, (_, pitch) => raised.reduce((all, each) => all + each[member][pitch]!, 0));
  const [voice, bed] = [sum('voice'), sum('bed')];
  return Array.from({ length: PITCH_CLASSES }, (_, raise) => profileCorrelation(voice, bed, raise));
}

/** The choices and shifts as a correction; undefined if they change nothing. */
function toCorrection(
  { plan, tuning, songs }: PhraseTask,
  choices: readonly Choice[],
  changes: ShiftChanges,
): Correction | undefined {
  const starts = new Map(tuning.starts);
  const semitones = new Map(tuning.semitones);
  const messages: string[] = [];
  for (const { group, candidate } of choices) {
    const { section, singer, bed } = group;
    const where = `Section ${section + 1} (${plan.sections[section]!.start.toFixed(0)} s)`;
    if (candidate.moved) {
      starts.set(startKey(section, singer), candidate.startSec);
      const from = candidate.startSec.toFixed(1);
      messages.push(`${where}: "${songs.get(singer)!.name}" sings other bars, from ${from} s.`);
    }
    if (bed !== undefined && candidate.bedStartSec !== undefined) {
      starts.set(startKey(section, bed), candidate.bedStartSec);
      const from = candidate.bedStartSec.toFixed(1);
      messages.push(`${where}: "${songs.get(bed)!.name}" plays other bars, from ${from} s.`);
    }
  }
  for (const [id, by] of changes) {
    if (by === 0) continue;
    const now = semitones.get(id) ?? 0;
    semitones.set(id, now + by);
    messages.push(shiftMessage(songs.get(id)!.name, now + by, now));
  }
  return messages.length > 0 ? { tuning: { ...tuning, semitones, starts }, messages } : undefined;
}
