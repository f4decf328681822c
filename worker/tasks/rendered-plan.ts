/** The plan as it was rendered: with the layers that corrections changed, the key that is heard, and texts made of that. */
import { Shift, type AnalyzedSong, type Plan, type RenderResult } from '../../schema.ts';
import { semitonesBetween } from '../../music/plan/key-shifts.ts';
import { cleanText } from '../../music/plan/text.ts';
import { soundOfSection } from '../../music/plan/sound-of.ts';
import { wishHolds } from '../../music/revision/wish-holds.ts';
import { describePlan } from '../../music/texts/describe-plan.ts';
import { planDifferences } from '../../music/texts/differences/plan-differences.ts';
import { toLines } from '../../music/texts/lines.ts';
import { keepWrittenTexts } from '../../music/texts/written-texts.ts';
import { restateKey } from '../../music/theory/key-text.ts';
import { isSameKey, parseKey } from '../../music/theory/keys.ts';
import { describeWish } from '../../music/wishes/wish-texts.ts';
import type { TaskContext } from './context.ts';
import { findPlan } from './plan-texts.ts';
import type { StoredPlan } from './render-request.ts';
import type { CodedWarning } from './render-warnings.ts';
import { loadScores, loadSongs } from './task-inputs.ts';

const MAX_CHANGES_LENGTH = 2_000;
const MAX_CONCEPT_LENGTH = 1_500;

/** What is stored of a plan as it was rendered. `plan` is absent if it is the stored one. */
type Told = { title: string; concept: string; plan?: Plan; changes?: string; warnings: CodedWarning[] };

/**
 * Makes the texts of a plan as it was rendered, and compares it with that of the parent as it was rendered. Wishes that a correction
 * undid become warnings.
 */
export async function tellRendered(
  context: TaskContext,
  stored: StoredPlan,
  result: Pick<Partial<RenderResult>, 'as_rendered' | 'key'>,
): Promise<Told> {
  const { claim } = context;
  const [songs, scores] = [await loadSongs(context), await loadScores(context)];
  const planned = stored.plan;
  const rendered = withCorrections(planned, result, songs);
  const shifts = result.as_rendered?.shifts;
  const described = describePlan(rendered, { songs, scores, wording: stored.wording ?? 0, shifts });
  const told = stored.source === 'claude' ? keepWritten(planned, described) : described;
  const names = claim.songs.map(({ name }) => name);
  const restate = (text: string): string =>
    restateKey(text, planned.masterplan.global.targetKey, rendered.masterplan.global.targetKey, names);
  const plan: Plan = {
    creative_vision: cleanText(restate(told.creative_vision), MAX_CONCEPT_LENGTH),
    masterplan: { ...told.masterplan, title: restate(planned.masterplan.title) },
  };
  const parent = claim.parent_id === null ? undefined : await findPlan(context, claim.parent_id);
  const changes = parent && toLines(planDifferences(parent.rendered, plan, songs), MAX_CHANGES_LENGTH);
  const warnings = (stored.wishes?.understood ?? [])
    .filter((wish) => wishHolds(wish, planned, parent?.rendered) && !wishHolds(wish, plan, parent?.rendered))
    .map((wish): CodedWarning => ({
      code: 'render_note',
      message: `A correction of the sound took a wish back: ${describeWish(wish, songs)}.`,
    }));
  return {
    title: plan.masterplan.title,
    concept: plan.creative_vision,
    ...(JSON.stringify(plan) === JSON.stringify(planned) ? {} : { plan }),
    ...(changes === undefined ? {} : { changes }),
    warnings,
  };
}

/** The plan with the layers that were changed, and with the key that is heard. */
function withCorrections(
  plan: Plan,
  { as_rendered: changed, key = '' }: Pick<Partial<RenderResult>, 'as_rendered' | 'key'>,
  songs: readonly AnalyzedSong[],
): Plan {
  const { timeline } = plan.masterplan;
  const layers = new Map(changed?.sections.map((section) => [section.index, section.layers]));
  const { shifts: planned, ...global } = plan.masterplan.global;
  const isKey = parseKey(key) !== null && !isSameKey(key, global.targetKey);
  const targetKey = isKey ? key : global.targetKey;
  const shifts = changed ? foundShifts(changed.shifts, songs, targetKey) : planned;
  return {
    ...plan,
    masterplan: {
      ...plan.masterplan,
      global: { ...global, targetKey, ...(shifts && { shifts }) },
      timeline: timeline.map((section, index) => ({ ...section, layers: layers.get(index) ?? section.layers })),
    },
  };
}

/** The shifts of a render, if they are not those by the keys of the songs: versions of it start with them. A service may report what is none. */
function foundShifts(
  shifts: Readonly<Record<string, number>>,
  songs: readonly AnalyzedSong[],
  targetKey: string,
): Record<string, number> | undefined {
  const known = songs.flatMap(({ song_id, analysis }) => {
    const shift = Shift.safeParse(shifts[song_id]).data;
    return shift === undefined ? [] : [{ song_id, shift, byKey: semitonesBetween(analysis.harmonic.key, targetKey) }];
  });
  if (known.every(({ shift, byKey }) => shift === byKey)) return undefined;
  return Object.fromEntries(known.map(({ song_id, shift }) => [song_id, shift]));
}

/** Keeps the texts of a model in sections that are as it planned them, and its concept if the whole plan is, but for the key. */
function keepWritten(planned: Plan, described: Plan): Plan {
  const sections = planned.masterplan.timeline.map((section, index) => {
    const now = described.masterplan.timeline[index];
    return now !== undefined && soundOfSection(section) === soundOfSection(now);
  });
  const kept = keepWrittenTexts(planned, described, { sections, whole: sections.every(Boolean) });
  if (isSameKey(planned.masterplan.global.targetKey, described.masterplan.global.targetKey)) return kept;
  const { problems_and_solutions } = described.masterplan;
  return { ...kept, masterplan: { ...kept.masterplan, problems_and_solutions } };
}
