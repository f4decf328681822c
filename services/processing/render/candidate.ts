/** Renders candidates: a plan with a tuning is arranged, its sections are mixed, and its layers are checked. */
import { STEM_NAMES } from '../../../music/theory/stem-texts.ts';
import type { RenderRequest } from '../../../schema.ts';
import type { Candidate } from '../corrections/correction-search.ts';
import type { OnsetEnvelopes } from '../measure/onsets.ts';
import { arrange } from '../plan/arrange.ts';
import type { Arrangement } from '../plan/arrangement.ts';
import { addBed } from '../plan/bed.ts';
import { requireSources } from '../plan/missing-sources.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { Run } from '../plan/run.ts';
import type { Tuning } from '../plan/tuning.ts';
import { checkLayers, type SongMeasurements } from '../quality/check-layers.ts';
import { collectMeasurements } from '../quality/measurements.ts';
import type { RenderSong } from '../song/song.ts';
import type { SectionResult } from '../sound/section.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import { type ReportProgress, renderedText, sectionProgress, tempoText } from './progress.ts';
import type { PreparedRun, RunStore } from './run-store.ts';
import type { MakeTask, SectionStore } from './section-store.ts';
import { makeSectionTask } from './section-task.ts';
import type { StemStore } from './stem-store.ts';

/** A section with a longer pause, in seconds, gets a bed. */
const MAX_PAUSE_SEC = 0.9;

/** What all candidates of a render share. */
export type RenderContext = {
  request: RenderRequest;
  songs: ReadonlyMap<string, RenderSong>;
  /** Drum onsets of the songs in their own time, by song. */
  drumOnsets: ReadonlyMap<string, OnsetEnvelopes>;
  stems: StemStore;
  store: RunStore;
  sections: SectionStore;
  threads: RenderThreads;
  report: ReportProgress;
};

/**
 * Receives a section of the first candidate as soon as it and all sections before it are rendered. `i` is its index in the plan. A
 * correction may replace it later.
 */
export type OnSection = (i: number, section: SectionResult, tuning: Tuning) => void;

/** Sections that were rendered before: the first ones of the plan. */
export type RenderedOpening = {
  arrangement: Pick<Arrangement, 'runs' | 'sections'>;
  sections: SectionResult[];
  warnings: string[];
};

/** Returns the file of the cache that keeps a layer of a section. */
export type LayerFile = (section: number, layer: number) => string;

type MixedSection = { result: SectionResult; warnings: string[] };

/** A candidate with its sound and measurements. */
export type RenderedCandidate = Candidate & {
  arrangement: Arrangement;
  sections: SectionResult[];
  measurements: SongMeasurements;
  warnings: string[];
};

/**
 * Renders and checks a candidate. A section is mixed as soon as its runs are rendered, and what the first sections play is rendered first.
 * @param options.onSection is called for each section in play order, as early as possible
 * @param options.opening first sections that are used as they are
 * @throws RenderError stems_missing, stem_unavailable, stem_unusable, render_failed
 */
export async function renderCandidate(
  context: RenderContext,
  plan: RenderPlan,
  tuning: Tuning,
  { onSection, opening }: { onSection?: OnSection | undefined; opening?: RenderedOpening | undefined } = {},
): Promise<RenderedCandidate> {
  const { request, songs, drumOnsets } = context;
  const arrangement = arrange(plan, songs, request.scores ?? [], tuning, opening?.arrangement);
  requireSources(arrangement, songs);
  const mixed = await mixSections(context, plan, arrangement, tuning, { onSection, opening });
  const sections = mixed.map(({ result }) => result);
  const layers = sections.map(({ measurements }) => measurements);
  const measured = collectMeasurements({ plan, arrangement, tuning, layers }, songs, drumOnsets);
  const { checks, measurements } = checkLayers(measured.sections, measured.expected);
  const warnings = [...arrangement.warnings, ...mixed.flatMap((section) => section.warnings)];
  return { plan, tuning, arrangement, sections, checks, measurements, warnings };
}

/**
 * Renders the first sections of a plan for those who wait for sound. Nothing is checked or corrected.
 * @param count number of sections
 * @throws RenderError stems_missing, stem_unavailable, stem_unusable, render_failed
 */
export async function renderFirstSections(
  context: RenderContext,
  plan: RenderPlan,
  count: number,
  { tuning, ...options }: { tuning: Tuning; onSection?: OnSection | undefined; layerFile: LayerFile | undefined },
): Promise<RenderedOpening> {
  const { request, songs } = context;
  const first = { sections: plan.sections.slice(0, count) };
  const arrangement = arrange(first, songs, request.scores ?? [], tuning);
  requireSources(arrangement, songs);
  const mixed = await mixSections(context, plan, arrangement, tuning, options);
  return {
    arrangement,
    sections: mixed.map(({ result }) => result),
    warnings: [...arrangement.warnings, ...mixed.flatMap((section) => section.warnings)],
  };
}

/** Renders the runs and mixes the sections of the arrangement, and reports the progress of both. */
async function mixSections(
  context: RenderContext,
  plan: RenderPlan,
  arrangement: Arrangement,
  tuning: Tuning,
  {
    onSection,
    opening,
    layerFile,
  }: {
    onSection?: OnSection | undefined;
    opening?: RenderedOpening | undefined;
    layerFile?: LayerFile | undefined;
  },
): Promise<MixedSection[]> {
  const { songs, store, sections, report } = context;
  sections.startCandidate();
  const counts = { runs: 0, sections: 0 };
  const runCount = arrangement.runs.length - (opening?.arrangement.runs.length ?? 0);
  const progress = (): number =>
    sectionProgress([counts.runs, runCount], [counts.sections, arrangement.sections.length]);
  const runs = store.prepare(arrangement.runs, songs, firstSections(arrangement), ({ stem, songId }) => {
    counts.runs++;
    const text = `Matched the ${STEM_NAMES[stem]} of ${songs.get(songId)!.name} to ${tempoText(plan)}`;
    report(progress(), `${text} (${counts.runs} of ${runCount})`);
  });
  const inOrder: Promise<void>[] = [];
  const mixed = plan.sections.slice(0, arrangement.sections.length).map(async ({ description }, i) => {
    const known = opening?.sections[i];
    const section: MixedSection = known
      ? { result: known, warnings: i === 0 ? opening.warnings : [] }
      : await mixSection(context, i, plan, arrangement, tuning, { runs, layerFile });
    counts.sections++;
    report(progress(), renderedText(i, plan.sections.length, description));
    return section;
  });
  mixed.reduce((before, section, i) => {
    const done = before.then(async () => onSection?.(i, (await section).result, tuning));
    inOrder.push(done);
    return done;
  }, Promise.resolve());
  await Promise.all([...mixed, ...inOrder]);
  return Promise.all(mixed);
}

/** Returns the first section that plays a run, by which its rendering is ordered. */
function firstSections({ sections }: Arrangement): (run: Run) => number {
  const first = new Map<number, number>();
  sections.forEach((slices, i) => {
    for (const { runId } of slices.flatMap(({ parts }) => parts)) if (!first.has(runId)) first.set(runId, i);
  });
  return ({ id }) => first.get(id) ?? sections.length;
}

/** Mixes section `i`; if it pauses for too long, a bed is added to the arrangement and the section is mixed again. */
async function mixSection(
  { songs, store, sections }: RenderContext,
  i: number,
  plan: RenderPlan,
  arrangement: Arrangement,
  tuning: Tuning,
  { runs, layerFile }: { runs: Map<number, PreparedRun>; layerFile: LayerFile | undefined },
): Promise<MixedSection> {
  const mix = async (): Promise<MixedSection> => {
    const ids = new Set(arrangement.sections[i]!.flatMap(({ parts }) => parts.map(({ runId }) => runId)));
    const played = new Map([...ids].map((id) => [id, runs.get(id)!]));
    let warnings: string[] = [];
    const makeTask: MakeTask = (rendered) => {
      const made = makeSectionTask(i, plan, arrangement, songs, rendered);
      warnings = made.warnings;
      return made.task;
    };
    const layerFiles = layerFile && arrangement.sections[i]!.map((_slice, n) => layerFile(i, n));
    return { result: await sections.mix(played, makeTask, { priority: i, layerFiles }), warnings };
  };
  const first = await mix();
  if (first.result.longestPauseSec <= MAX_PAUSE_SEC) return first;
  const bed = store.prepare(addBed(arrangement, i, songs, tuning), songs, () => i);
  if (bed.size === 0) return first;
  for (const [id, run] of bed) runs.set(id, run);
  const { result } = await mix();
  return {
    result,
    warnings: [...first.warnings, `Section ${i + 1} paused for too long: a quiet bed was added to it.`],
  };
}
