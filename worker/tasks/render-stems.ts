/** The `render_stems` task: the stems of a finished mashup, rendered once more from its plan and the stems of its songs. */
import type { Selectable } from 'kysely';
import { STEMS_PATH } from '../../schema.ts';
import type { Plan, RenderedStems, RenderStemsRequest, StemTargets } from '../../schema.ts';
import { MASHUP_STEM_PART_FRAMES } from '../../schema/mashup-stems.ts';
import { PLAYABLE_SAMPLE_RATE, partPath } from '../../schema/playable.ts';
import type { MashupResultsTable } from '../../schema/database.ts';
import type { RenderStemsTaskResult } from '../../schema/task-results.ts';
import { RangesMissing, StemsGone, TaskError } from '../errors.ts';
import { callRender } from '../services/processing.ts';
import { callLimitMs, missingInput, uploadTarget, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { plannedSeconds } from './output-file.ts';
import { unsignedTarget } from './playable-parts.ts';
import { describeSound, loadPlan, openingOf, usedStems } from './render-request.ts';
import { loadStems, sourcesOf } from './stored-stems.ts';
import type { UsedStems } from './stored-stems.ts';

/** The mashup whose stems are wanted: the current result of the job. */
type Mashup = Pick<Selectable<MashupResultsTable>, 'path' | 'sources' | 'quality' | 'separation'>;

/** Runs the task. Returns the result for `mashup.record_mashup_stems`. */
export async function renderStems(context: TaskContext): Promise<RenderStemsTaskResult> {
  const prefix = context.claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Ask for the stems again.');
  const mashup = await loadMashup(context);
  try {
    const stems = await callService(context, mashup, prefix);
    return { result_path: mashup.path, stems, message: 'The stems of the mashup are ready' };
  } catch (error) {
    // A job that renders goes back to separating then. This one is complete, and stays so.
    if (error instanceof StemsGone || error instanceof RangesMissing) throw songStemsGone(error);
    throw error;
  }
}

async function loadMashup({ claim, db }: TaskContext): Promise<Mashup> {
  const row = await db
    .selectFrom('public.mashup_results as r')
    .innerJoin('public.mashup_jobs as j', (join) =>
      join.onRef('j.id', '=', 'r.job_id').onRef('j.result_path', '=', 'r.path'),
    )
    .select(['r.path', 'r.sources', 'r.quality', 'r.separation'])
    .where('r.job_id', '=', claim.job_id)
    .executeTakeFirst();
  if (!row) throw missingInput('The mashup has no file any more.', 'Replay it from rendering, then ask for its stems.');
  return row;
}

async function callService(context: TaskContext, mashup: Mashup, prefix: string): Promise<RenderedStems> {
  const { claim, signal, serviceTokens, serviceUrls } = context;
  const { plan, opening } = await loadPlan(context);
  const used = usedStems(claim, plan);
  const sources = mashup.sources ?? sourcesOf(await loadStems(context, used));
  const [sound, stems] = await Promise.all([
    describeSound(context, plan, used, sources),
    stemTargets(context, mashup, { plan, used, folder: `${prefix}.stems` }),
  ]);
  const request: RenderStemsRequest = {
    ...sound,
    job_id: prefix.replace(/^generated\//, ''),
    format: mashup.quality.format ?? 'wav',
    opening: opening ? openingOf(claim, plan, opening.sections, modelsOf(mashup)) : undefined,
    stems,
  };
  const rendered = await callRender(serviceUrls.processing, request, {
    path: STEMS_PATH,
    signal,
    timeoutMs: callLimitMs(context),
    token: serviceTokens.processing,
    idleMs: claim.silence_sec * 1000,
    onProgress: (progress) => context.reportProgress(progress, undefined),
  });
  if (!rendered.stems) throw unusable('The rendering service sent no stems.');
  await verifyFiles(context, rendered.stems, stems);
  return rendered.stems;
}

/** The models that separated the songs, by song. */
const modelsOf = ({ separation }: Mashup): Record<string, string> =>
  Object.fromEntries(Object.entries(separation ?? {}).map(([id, { model }]) => [id, model]));

/** Returns where each stem goes that the mashup may play. The first file is signed; the service asks for the tokens of the others. */
async function stemTargets(
  context: TaskContext,
  mashup: Mashup,
  { plan, used, folder }: { plan: Plan; used: UsedStems; folder: string },
): Promise<StemTargets> {
  const parts = Math.ceil((plannedSeconds(plan) * PLAYABLE_SAMPLE_RATE) / MASHUP_STEM_PART_FRAMES) + 1;
  const [signed, mashup_url] = await Promise.all([
    uploadTarget(context, partPath(folder, 0)),
    context.storage.downloadUrl(mashup.path, urlSeconds(context.claim)),
  ]);
  const files = used.flatMap(({ card, stems }, song) =>
    stems.map((stem) => {
      const path = `${folder}/${song + 1}-${stem}`;
      const targets = Array.from({ length: parts }, (_, part) => unsignedTarget(signed, partPath(path, part)));
      return { song_id: card.song_id, stem, path, parts: targets };
    }),
  );
  return { path: folder, mashup_url, mastering: mashup.quality.mastering, files };
}

/** Checks that the files of the stems lie where they belong. @throws TaskError */
async function verifyFiles(context: TaskContext, rendered: RenderedStems, targets: StemTargets): Promise<void> {
  for (const { song_id, stem, path, bytes } of rendered.files) {
    const isTarget = targets.files.some((file) => file.path === path && file.song_id === song_id && file.stem === stem);
    if (!isTarget) {
      throw new TaskError('The rendering service wrote a stem to a path outside its folder.', {
        code: 'service_wrong_path',
        hint: 'The service must write to the folder that it was given; check its version.',
        faultClass: 'permanent',
      });
    }
    const stored = await context.storage.statAll(path);
    const names = new Set(stored.map((object) => object.path));
    if (rendered.ends.some((_end, part) => !names.has(partPath(path, part))))
      throw unusable('The rendering service reported success, but a stem is not in Storage.');
    context.metrics.storageBytes('result_written', bytes);
  }
}

function unusable(message: string): TaskError {
  return new TaskError(message, {
    code: 'render_unusable',
    hint: 'It is retried automatically. If this lasts, ask for the stems again.',
    faultClass: 'transient',
  });
}

function songStemsGone(cause: TaskError): TaskError {
  return new TaskError('The stems of the songs from which the mashup was made have been deleted.', {
    code: 'stems_gone',
    hint: 'Replay the mashup from separating, then ask for its stems again.',
    faultClass: 'permanent',
    cause,
  });
}
