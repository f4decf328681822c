/**
 * Other phrases: where a voice does not fit the notes under it, its song plays other bars, the song under it others of its, and if need
 * be both are shifted. All voices are looked at together, since what one gains by a shift another may lose.
 */
import { type Correction, cheapestMove, isInTune, turned } from './shift-changes.ts';
import { PITCHES, profileLikeness } from '../measure/chroma.ts';
import { type Meeting, meetingsOf, type Option, type RephraseTask } from './phrase-candidates.ts';
import { shiftsOf, startKey } from '../plan/tuning.ts';

/** Other bars of either song must fit this much better than the planned ones to be taken. A choice. */
const WORTH_MOVING = 0.03;
/** What bars that another section plays already cost in likeness. A choice. */
const COST_OF_REPEATING = 0.05;

type Profiles = Pick<Option, 'voice' | 'bed'>;
type Choice = { meeting: Meeting; option: Option };

/** Moves of all songs in semitones, by song. */
type Moves = ReadonlyMap<string, number>;

function pooled(options: readonly Profiles[]): Profiles {
  const sum = (member: 'voice' | 'bed'): number[] =>
    Array.from({ length: PITCHES }, (_, pitch) => options.reduce((all, option) => all + option[member][pitch]!, 0));
  return { voice: sum('voice'), bed: sum('bed') };
}

/** Whether an option plays bars that were chosen already. */
function repeats(chosen: readonly Choice[], startOf: (option: Option) => number | undefined, option: Option): boolean {
  const at = startOf(option);
  return at !== undefined && chosen.some((other) => Math.abs((startOf(other.option) ?? Infinity) - at) < 0.1);
}

/** The best option of each meeting, those that are worth it. */
function choose(meetings: readonly Meeting[], raiseIn: (meeting: Meeting) => number): Choice[] {
  const chosen: Choice[] = [];
  for (const meeting of meetings) {
    const raise = raiseIn(meeting);
    const worth = (option: Option): number =>
      profileLikeness(option.voice, option.bed, raise) -
      WORTH_MOVING * (Number(option.moved) + Number(option.bedStartSec !== undefined)) -
      (repeats(chosen, ({ startSec }) => startSec, option) ? COST_OF_REPEATING : 0) -
      (repeats(chosen, ({ bedStartSec }) => bedStartSec, option) ? COST_OF_REPEATING : 0);
    let option = meeting.options[0]!;
    let best = worth(option);
    for (const each of meeting.options) {
      const value = worth(each);
      if (value > best + 1e-9) [option, best] = [each, value];
    }
    chosen.push({ meeting, option });
  }
  return chosen;
}

/** Likeness of all that is chosen, for each raise of the voices from where the moves put them. */
function likenessOf(choices: readonly Choice[], raiseIn: (meeting: Meeting) => number): number[] {
  // A profile is raised once, so that meetings at different shifts can be summed.
  const raised = choices.map(({ meeting, option }): Profiles => {
    return { voice: turned(option.voice, -raiseIn(meeting)), bed: option.bed };
  });
  const { voice, bed } = pooled(raised);
  return Array.from({ length: PITCHES }, (_, raise) => profileLikeness(voice, bed, raise));
}

/** The choice of one singer: the planned bars where they fit as they are, else the best. */
function chooseFor(
  singer: string,
  meetings: readonly Meeting[],
  { outOfTune, raiseIn }: { outOfTune: readonly string[]; raiseIn: (meeting: Meeting) => number },
): { choices: Choice[]; likeness: number[] } {
  const own = meetings.filter((meeting) => meeting.singer === singer);
  const planned = own.map((meeting) => ({ meeting, option: meeting.options[0]! }));
  const asPlanned = likenessOf(planned, raiseIn);
  if (!outOfTune.includes(singer) && isInTune(asPlanned)) return { choices: planned, likeness: asPlanned };
  const choices = choose(own, raiseIn);
  return { choices, likeness: likenessOf(choices, raiseIn) };
}

/**
 * Other bars, and if need be another shift, with which fewer voices should be out of tune; undefined where there are none.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function rephrase(task: RephraseTask): Promise<Correction | undefined> {
  const { tuning, outOfTune, heardIn } = task;
  const meetings = await meetingsOf(task);
  const singers = [...new Set(meetings.map(({ singer }) => singer))];
  let best: { choices: Choice[]; moves: Moves; failing: number; fit: number } | undefined;
  for (const mover of outOfTune)
    for (let raise = 0; raise < PITCHES; raise++) {
      const move = cheapestMove(raise, mover, tuning.semitones);
      if (!move) continue;
      const by = (id: string): number => (id === mover ? move.voice : move.others);
      const moves = new Map([...tuning.semitones.keys()].map((id) => [id, by(id)]));
      // Stems tell how they will sound only so well: where they told wrong once, another shift is tried.
      if (heardIn.has(shiftsOf(new Map([...tuning.semitones].map(([id, now]) => [id, now + by(id)]))))) continue;
      const raiseIn = ({ singer, bed }: Meeting): number =>
        (tuning.semitones.get(singer) ?? 0) +
        (moves.get(singer) ?? 0) -
        (bed === undefined ? 0 : (moves.get(bed) ?? 0));
      const found = singers.map((singer) => chooseFor(singer, meetings, { outOfTune, raiseIn }));
      const failing = found.filter(({ likeness }) => !isInTune(likeness)).length;
      const fit = Math.min(...found.map(({ likeness }) => likeness[0]!)) - move.cost;
      if (
        failing >= outOfTune.length ||
        (best && (failing > best.failing || (failing === best.failing && fit <= best.fit)))
      )
        continue;
      best = { choices: found.flatMap(({ choices }) => choices), moves, failing, fit };
    }
  return best && inWords(task, best.choices, best.moves);
}

/** A choice as a tuning, with what it changes in words; undefined where it changes nothing. */
function inWords(
  { plan, tuning, songs }: RephraseTask,
  choices: readonly Choice[],
  moves: Moves,
): Correction | undefined {
  const starts = new Map(tuning.starts);
  const semitones = new Map(tuning.semitones);
  const words: string[] = [];
  for (const { meeting, option } of choices) {
    const { section, singer, bed } = meeting;
    const where = `Section ${section + 1} (${plan.sections[section]!.start.toFixed(0)} s)`;
    if (option.moved) {
      starts.set(startKey(section, singer), option.startSec);
      words.push(`${where}: "${songs.get(singer)!.name}" sings other bars, from ${option.startSec.toFixed(1)} s.`);
    }
    if (bed !== undefined && option.bedStartSec !== undefined) {
      starts.set(startKey(section, bed), option.bedStartSec);
      words.push(`${where}: "${songs.get(bed)!.name}" plays other bars, from ${option.bedStartSec.toFixed(1)} s.`);
    }
  }
  for (const [id, by] of moves) {
    if (by === 0) continue;
    const now = semitones.get(id) ?? 0;
    semitones.set(id, now + by);
    words.push(`"${songs.get(id)!.name}" was shifted by ${now + by} instead of ${now} semitones.`);
  }
  return words.length > 0 ? { tuning: { ...tuning, semitones, starts }, words } : undefined;
}
