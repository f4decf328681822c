/** Renders candidates: a plan with a tuning is arranged, its sections are mixed, and its layers are checked. */
import type { RenderRequest } from '../../../schema.ts';
import type { Candidate } from '../corrections/correction-search.ts';
import type { OnsetEnvelopes } from '../measure/onsets.ts';
import { arrange } from '../plan/arrange.ts';
import type { Arrangement } from '../plan/arrangement.ts';
import { addBed } from '../plan/bed.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { Tuning } from '../plan/tuning.ts';
import { checkLayers, type SongMeasurements } from '../quality/check-layers.ts';
import { collectMeasurements } from '../quality/measurements.ts';
import type { RenderSong } from '../song/song.ts';
import type { SectionResult } from '../sound/section.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import { PROGRESS, type ReportProgress, tempoText } from './progress.ts';
import type { RenderedRun, RunStore } from './run-store.ts';
import { makeSectionTask } from './section-task.ts';

/** A section with a longer pause, in seconds, gets a bed. */
const MAX_PAUSE_SEC = 0.9;

/** What all candidates of a render share. */
export type RenderContext = {
  request: RenderRequest;
  songs: ReadonlyMap<string, RenderSong>;
  /** Drum onsets of the songs in their own time, by song. */
  drumOnsets: ReadonlyMap<string, OnsetEnvelopes>;
  store: RunStore;
  threads: RenderThreads;
  report: ReportProgress;
};

/** A candidate with its sound and measurements. */
export type RenderedCandidate = Candidate & {
  arrangement: Arrangement;
  sections: SectionResult[];
  measurements: SongMeasurements;
  warnings: string[];
};

/**
 * Renders and checks a candidate.
 * @throws RenderError stem_unavailable, stem_unusable, render_failed
 */
export async function renderCandidate(
  context: RenderContext,
  plan: RenderPlan,
  tuning: Tuning,
): Promise<RenderedCandidate> {
  const { request, songs, drumOnsets, store, threads, report } = context;
  const arrangement = arrange(plan, songs, request.scores ?? [], tuning);
  const runs = await store.render(arrangement.runs, songs, (song, { stem }, done, count) => {
    const progress = PROGRESS.stems + ((PROGRESS.sections - PROGRESS.stems) * done) / count;
    report(progress, `Matched the ${stem} of ${song.name} to ${tempoText(plan)} (${done} of ${count})`);
  });
  // Mixing does not need the memory that decoding took.
  threads.endIdle();

  const count = plan.sections.length;
  let done = 0;
  const mixed = await Promise.all(
    plan.sections.map(async ({ description }, i) => {
      const section = await mixSection(context, i, plan, arrangement, tuning, runs);
      done++;
      const progress = PROGRESS.sections + ((PROGRESS.finish - PROGRESS.sections) * done) / count;
      report(progress, `Rendered section ${i + 1} of ${count}: ${description}`);
      return section;
    }),
  );
  const sections = mixed.map(({ result }) => result);
  const layers = sections.map(({ measurements }) => measurements);
  const measured = collectMeasurements({ plan, arrangement, tuning, layers }, songs, drumOnsets);
  const { checks, measurements } = checkLayers(measured.sections, measured.expected);
  const warnings = [...arrangement.warnings, ...mixed.flatMap((section) => section.warnings)];
  return { plan, tuning, arrangement, sections, checks, measurements, warnings };
}

/** Mixes section `i`; if it pauses for too long, a bed is added to the arrangement and the section is mixed again. */
async function mixSection(
  { songs, store, threads }: RenderContext,
  i: number,
  plan: RenderPlan,
  arrangement: Arrangement,
  tuning: Tuning,
  runs: Map<number, RenderedRun>,
): Promise<{ result: SectionResult; warnings: string[] }> {
  const { task, warnings } = makeSectionTask(i, plan, arrangement, songs, runs);
  const result = await threads.run('section', task);
  if (result.longestPauseSec <= MAX_PAUSE_SEC) return { result, warnings };
  const bed = await store.render(addBed(arrangement, i, songs, tuning), songs);
  if (bed.size === 0) return { result, warnings };
  for (const [id, run] of bed) runs.set(id, run);
  const withBed = makeSectionTask(i, plan, arrangement, songs, runs);
  return {
    result: await threads.run('section', withBed.task),
    warnings: [...warnings, `Section ${i + 1} paused for too long: a quiet bed was added to it.`],
  };
}
