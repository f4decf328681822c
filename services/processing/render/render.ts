/**
 * A whole render: the plan is parsed, songs are read, candidates are rendered and corrected, and the best one is finished. The heavy
 * steps run in threads.
 */
import { type RenderRequest, type RenderResult, STEMS, type UploadTarget } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { type CorrectionStrategy, searchCorrections } from '../corrections/correction-search.ts';
import { useOwnHarmony } from '../corrections/own-harmony.ts';
import type { StemSources } from '../corrections/phrase-candidates.ts';
import { changeShifts } from '../corrections/shift-changes.ts';
import { changeTuning } from '../corrections/tuning-changes.ts';
import { finishMashup, type FinishSteps, type FinishTask } from '../delivery/finish.ts';
import { RenderError } from '../errors.ts';
import type { RenderCache } from '../files/render-cache.ts';
import { openScratch, type Scratch } from '../files/scratch.ts';
import type { LayerMeasurement } from '../measure/layer.ts';
import { asRendered } from '../plan/as-rendered.ts';
import { spliceTimes } from '../plan/arrangement.ts';
import { parseRenderPlan, type RenderPlan } from '../plan/plan.ts';
import { freeSongsWithoutBeat } from '../plan/free-songs.ts';
import { keptKey, keyChangeText, soundingBpm, soundingKeys } from '../plan/sounding.ts';
import { chooseTuning, shiftsKey, type Tuning } from '../plan/tuning.ts';
import { isInTune } from '../quality/harmony.ts';
import { tempoWarnings } from '../quality/tempo-changes.ts';
import { collectGarbage } from '../../http/collect-garbage.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import {
  type OnSection,
  type RenderContext,
  renderCandidate,
  type RenderedCandidate,
  type RenderedOpening,
  renderFirstSections,
} from './candidate.ts';
import { keepOpening, layerFileOf, readOpening } from './opening.ts';
import { PROGRESS, type ReportProgress, tempoText } from './progress.ts';
import { alignToDrums, readSongs } from './read-songs.ts';
import { RunStore } from './run-store.ts';
import { SectionStore } from './section-store.ts';
import { StemStore } from './stem-store.ts';

/** The best candidate, with the messages of the corrections that led to it. */
type Best = { candidate: RenderedCandidate; corrections: string[] };

/** What a render calls and uses: `onSection` receives the sections in play order, `cache` keeps what later renders use again. */
type RenderOptions = { onSection?: OnSection; cache?: RenderCache | undefined };

/** What is done before the first section of a plan is rendered. */
type Prepared = { context: RenderContext; plan: RenderPlan; warnings: string[]; scratch: Scratch };

/**
 * Reads the plan and the songs, calls `use` with them, and frees what both needed.
 * @param count number of sections whose stems must be there
 */
export async function withPrepared<T>(
  request: RenderRequest,
  threads: RenderThreads,
  report: ReportProgress,
  { cache, count }: { cache: RenderCache | undefined; count: number },
  use: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { plan: sent, warnings } = parseRenderPlan(request);
  report(1, 'Reading the plan');
  const onAnalyze = (name: string): void => report(1, `Detecting the beats of ${name}`);
  const read = await readSongs(request, sent, threads, { onAnalyze, count });
  const plan = freeSongsWithoutBeat(sent, read.songs);
  const scratch = openScratch();
  try {
    const stems = new StemStore(threads, scratch, cache);
    const { songs, drumOnsets } = await alignToDrums(read.songs, stems);
    report(PROGRESS.sections, `Matching ${songs.size} songs to ${tempoText(plan)}`);
    const headSec = Math.max(...plan.sections.map(({ bpm }) => 60 / bpm));
    const store = new RunStore(threads, scratch, stems, { headSec, cache });
    const sections = new SectionStore(threads, cache);
    const context = { request, songs, drumOnsets, stems, store, sections, threads, report };
    return await use({ context, plan, warnings: [...warnings, ...read.warnings], scratch });
  } finally {
    // The threads end first: one that still writes must not write to another file with the same descriptor.
    await threads.close();
    scratch.close();
  }
}

/**
 * Renders the first sections of a mashup, and keeps them in the cache for the render of all of it.
 * @throws RenderError; the reason of the threads' signal when it fires
 */
export async function renderOpening(
  request: RenderRequest & { opening: NonNullable<RenderRequest['opening']> },
  threads: RenderThreads,
  report: ReportProgress,
  { onSection, cache }: RenderOptions,
): Promise<void> {
  const { key, sections: count } = request.opening;
  await withPrepared(request, threads, report, { cache, count }, async ({ context, plan }) => {
    const tuning = chooseTuning(plan, context.songs);
    const layerFile = cache && ((section: number, n: number) => layerFileOf(cache, key, section, n));
    const opening = await renderFirstSections(context, plan, count, { tuning, onSection, layerFile });
    if (cache) keepOpening(cache, key, opening, tuning);
  });
}

/**
 * Renders a mashup and uploads it.
 * @throws RenderError; the reason of the threads' signal when it fires
 */
export async function renderMashup(
  request: RenderRequest,
  threads: RenderThreads,
  report: ReportProgress,
  { onSection, cache }: RenderOptions = {},
): Promise<{ storage_path: string; result: RenderResult }> {
  const upload = requireUpload(request);
  return withPrepared(request, threads, report, { cache, count: Infinity }, async ({ context, plan, warnings }) => {
    const { songs } = context;
    const tuning = chooseTuning(plan, songs);
    const opening = request.opening && (await readOpening(cache, request.opening, tuning));
    const best = await renderBest(context, plan, tuning, { onSection, opening });
    // Their buffers are freed as soon as no thread refers to them: before the finish, which needs as much.
    context.stems.release();
    context.sections.release();
    threads.endIdle();
    const { candidate } = best;
    const keys = soundingKeys(candidate.plan, songs, candidate.tuning);
    const notes = [...warnings, ...tempoWarnings(plan, songs), ...candidate.warnings];
    const allWarnings = [...notes, keyChangeText(keys)].filter((text) => text !== undefined);
    const task = finishTask(request, upload, plan, { bpm: soundingBpm(plan), keys }, best, allWarnings);
    candidate.sections.length = 0;
    const onProgress = (message: string): void =>
      report(PROGRESS.done - (message.startsWith('Uploading') ? 3 : 12), message);
    return finishMashup(task, onProgress, finishSteps(threads, task));
  });
}

function requireUpload(request: RenderRequest): UploadTarget {
  if (request.upload) return request.upload;
  throw new RenderError(
    'upload_missing',
    'The request has no upload target',
    'Send upload: {path, url} with a signed URL that accepts a PUT.',
  );
}

/** Renders the plan, and corrects it while hard checks fail; the smallest change is tried first. */
export async function renderBest(
  context: RenderContext,
  plan: RenderPlan,
  tuning: Tuning,
  options: { onSection: OnSection | undefined; opening: RenderedOpening | undefined },
): Promise<Best> {
  const { songs, threads, report } = context;
  const triedShifts = new Set<string>();
  const changePhrases: CorrectionStrategy<RenderedCandidate> = async (candidate) => {
    const outOfTune = singersOutOfTune(candidate);
    if (outOfTune.length === 0) return undefined;
    const { arrangement, tuning } = candidate;
    const layers = layersOf(candidate);
    const sources = await stemSources(context);
    const task = {
      plan: candidate.plan,
      arrangement,
      layers,
      tuning,
      songs: new Map(songs),
      sources,
      outOfTune,
      triedShifts,
    };
    const correction = await threads.run('phrases', task);
    if (correction) triedShifts.add(shiftsKey(correction.tuning.semitones));
    return correction;
  };
  const strategies: CorrectionStrategy<RenderedCandidate>[] = [
    (candidate) => changeTuning(candidate, candidate.measurements.tuning, songs),
    ({ tuning, measurements }) => changeShifts(tuning, measurements, songs),
    changePhrases,
    (candidate) =>
      useOwnHarmony({ ...candidate, layers: layersOf(candidate), outOfTune: singersOutOfTune(candidate) }, songs),
  ];
  const first = await renderCandidate(context, plan, tuning, options);
  return searchCorrections(first, strategies, (changed, tuning) => {
    report(PROGRESS.sections, 'Correcting failed quality checks');
    return renderCandidate(context, changed, tuning);
  });
}

/** The sources of all stems of the songs, by song. */
async function stemSources({ songs, stems }: RenderContext): Promise<StemSources> {
  const sources: StemSources = new Map();
  for (const [id, song] of songs) {
    const known = STEMS.filter((stem) => song.stems[stem] !== undefined);
    const ofSong = await Promise.all(known.map(async (stem) => [stem, await stems.source(song, stem)] as const));
    sources.set(id, Object.fromEntries(ofSong));
  }
  return sources;
}

const layersOf = ({ sections }: RenderedCandidate): LayerMeasurement[][] =>
  sections.map(({ measurements }) => measurements);

const singersOutOfTune = ({ measurements }: RenderedCandidate): string[] =>
  [...measurements.harmony].filter(([, correlations]) => !isInTune(correlations)).map(([singer]) => singer);

/** The steps of finishing, in threads. */
const finishSteps = (threads: RenderThreads, { sections }: FinishTask): FinishSteps => ({
  mix: async (task) => {
    const mix = await threads.run('mix', task);
    // The mix holds them. Each would take memory until the file is encoded.
    sections.length = 0;
    collectGarbage();
    return mix;
  },
  hear: (mix) => threads.run('hear', mix),
  master: (task) => threads.run('master', task),
  encode: (task) => threads.run('encode', task),
  measure: (task) => threads.run('measure', task),
});

function finishTask(
  { format, masterplan, songs, smaller, max_bytes: maxBytes }: RenderRequest,
  upload: UploadTarget,
  plan: RenderPlan,
  sounding: Pick<FinishTask, 'bpm' | 'keys'>,
  { candidate, corrections }: Best,
  warnings: readonly string[],
): FinishTask {
  const names = songs.flatMap(({ name }) => name ?? []);
  return {
    sections: candidate.sections.map(({ offset, channels }) => ({ offset, channels })),
    frames: Math.round(plan.durationSec * SAMPLE_RATE),
    splices: spliceTimes(candidate.plan, candidate.arrangement),
    layerChecks: candidate.checks,
    asRendered: asRendered(parseRenderPlan({ masterplan, songs }).plan, candidate),
    corrections,
    ...sounding,
    output: { format, upload },
    smaller: smaller && { format: smaller.format, upload: smaller },
    maxBytes,
    plannedKey: plan.key,
    keptKey: keptKey(plan, sounding.keys, candidate.tuning),
    title: masterplan.title ? { text: masterplan.title, songs: names } : undefined,
    artist: masterplan.artistCredits,
    warnings: [...new Set(warnings)].sort(),
  };
}
