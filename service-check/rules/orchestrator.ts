/** Rules of the planning service. The check makes one plan, which a model may charge for. */
import { STEMS } from '../../schema/constants.ts';
import { expect, NotChecked } from '../rule.ts';
import type { Probe, Rule } from '../rule.ts';
import { ContractPlan, mismatch } from '../schemas.ts';
import { COMMON_RULES, JSON_RULES } from './common.ts';
import type { MakeBody } from './common.ts';
import { sampleAnalysis } from './sample-analyses.ts';

const SONG_IDS = ['check-song-1', 'check-song-2'];
/** Names by which existing services call the songs of a pair. */
const ALIASES = ['song1', 'song2'];
/** Longest overlap of two sections in seconds. */
const OVERLAP_SEC = 0.05;

/** The valid request. */
export const orchestratorBody: MakeBody = () => ({
  song1_analysis: {
    ...sampleAnalysis(0),
    song_id: SONG_IDS[0],
    name: 'First Song',
    artist: 'First Artist',
    duration_sec: 180,
  },
  song2_analysis: {
    ...sampleAnalysis(1),
    song_id: SONG_IDS[1],
    name: 'Second Song',
    artist: 'Second Artist',
    duration_sec: 200,
  },
  mashability_score: { overall_score: 75, compatibility_breakdown: {} },
  unknown_member: true,
});

async function planOf({ work }: Probe) {
  const plan = ContractPlan.safeParse((await work()).json).data;
  if (plan === undefined) throw new NotChecked('the plan is not complete');
  return plan.masterplan.timeline;
}

export const ORCHESTRATOR_RULES: readonly Rule[] = [
  ...COMMON_RULES,
  ...JSON_RULES,
  {
    name: 'plan-is-complete',
    text: 'The answer has `creative_vision`, and `masterplan` with a title and a timeline of sections with times and layers.',
    async check({ work }) {
      const fault = mismatch(ContractPlan, (await work()).json);
      expect(fault === undefined, fault ?? '');
    },
  },
  {
    name: 'layers-name-songs',
    text: 'The layers use the songs of the request, by their `song_id`, or as song1 and song2.',
    async check(probe) {
      const used = new Set((await planOf(probe)).flatMap(({ layers }) => layers.map(({ songId }) => songId)));
      const unknown = [...used].filter((id) => !SONG_IDS.includes(id) && !ALIASES.includes(id));
      expect(
        used.size > 0 && unknown.length === 0,
        used.size === 0 ? 'there are no layers' : `unknown: ${unknown.join(', ')}`,
      );
    },
  },
  {
    name: 'layers-name-stems',
    text: `The stems of the layers are ${STEMS.join(', ')}.`,
    async check(probe) {
      const used = new Set((await planOf(probe)).flatMap(({ layers }) => layers.map(({ stem }) => stem)));
      const unknown = [...used].filter((stem) => !(STEMS as readonly string[]).includes(stem));
      expect(unknown.length === 0, `unknown: ${unknown.join(', ')}`);
    },
  },
  {
    name: 'sections-in-order',
    text: 'Each section starts where the one before it ends, or later.',
    async check(probe) {
      let end = 0;
      for (const { time_start_sec: start, duration_sec: length } of await planOf(probe)) {
        expect(start >= end - OVERLAP_SEC, `a section starts at ${start} s, and the one before it ends at ${end} s`);
        end = start + length;
      }
    },
  },
];
