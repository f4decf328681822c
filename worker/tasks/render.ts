/** `render`: the plan becomes a file, and the file is looked at before anybody is told of it. */
import { OutputFormat } from '../../schema.ts';
import type { Plan, RenderRequest, RenderResult, Stem, StemPaths } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import { TaskError } from '../errors.ts';
import { callRender } from '../services/processing.ts';
import type { Rendered } from '../services/processing.ts';
import { readWavHeader, WAV_HEADER_BYTES } from '../wav-header.ts';
import { callLimitMs, goodSongs, missingInput, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { loadScores, loadSongs } from './task-inputs.ts';

/** No mashup is this small; a file without samples is 44 bytes long. */
const MIN_RESULT_BYTES = 1_000;
/** Share by which a file may differ from its plan's length without a remark. */
const LENGTH_TOLERANCE = 0.02;

/** Answers what `mashup.record_result` stores. */
export async function render(context: TaskContext): Promise<Record<string, unknown>> {
  const { claim, signal, serviceUrls, limits } = context;
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no place to write to.', 'Retry the mashup.');
  const plan = await loadPlan(context);
  const request = await buildRequest(context, plan, prefix);
  const rendered = await callRender(serviceUrls.processing, request, {
    signal,
    timeoutMs: callLimitMs(context),
    idleMs: limits.renderIdleMs,
    onProgress: (progress, message) => context.tell(progress, message === '' ? undefined : message),
  });
  if (!isOwnPath(rendered.path, prefix)) {
    throw new TaskError('The rendering service wrote the mashup to a place that it was not given.', {
      code: 'service_wrong_path',
      hint: 'The service must write to generated/<job_id>; check its version.',
      faultClass: 'permanent',
    });
  }
  const quality = await inspect(context, rendered, plan);
  return { path: rendered.path, quality, service_used: true, message: 'The mashup is rendered' };
}

async function loadPlan({ claim, db }: TaskContext): Promise<Plan> {
  const row =
    claim.plan_version === null
      ? undefined
      : await db
          .selectFrom('mashup_plans')
          .select('plan')
          .where('job_id', '=', claim.job_id)
          .where('version', '=', claim.plan_version)
          .executeTakeFirst();
  if (!row) throw missingInput('The plan of this mashup is gone.', 'Replay the mashup from planning.');
  return row.plan;
}

async function buildRequest(context: TaskContext, plan: Plan, prefix: string): Promise<RenderRequest> {
  const { claim, storage } = context;
  const { timeline, global, title, artistCredits } = plan.masterplan;
  const format = OutputFormat.catch('wav').parse(claim.options.format);
  const path = `${prefix}.${format}`;
  const used = new Map<string, Set<Stem>>();
  for (const layer of timeline.flatMap((section) => section.layers)) {
    // A song's drums always: the built-in renderer settles its beats on them, also where they are not heard.
    const stems = used.get(layer.songId) ?? new Set<Stem>(['drums']);
    used.set(layer.songId, stems.add(layer.stem));
  }
  const analyzed = await loadSongs(context);
  const songs = await Promise.all(
    goodSongs(claim)
      .filter((card) => used.has(card.song_id))
      .map(async (card) => ({
        song_id: card.song_id,
        storage_path: card.path,
        name: card.name,
        artist: card.artist,
        analysis: analyzed.find((song) => song.song_id === card.song_id)?.analysis ?? {},
        stems: await signStems(context, card, used.get(card.song_id) ?? new Set()),
      })),
  );
  return {
    masterplan: { timeline, global_settings: global, title, artistCredits },
    songs,
    job_id: prefix.replace(/^generated\//, ''),
    scores: await loadScores(context),
    format,
    upload: { path, url: await storage.uploadUrl(path) },
  };
}

async function signStems(
  { claim, db, storage }: TaskContext,
  card: SongCard,
  wanted: ReadonlySet<Stem>,
): Promise<Partial<StemPaths>> {
  const row =
    card.stems_id === undefined
      ? undefined
      : await db
          .selectFrom('mashup.stems')
          .select('paths')
          .where('id', '=', String(card.stems_id))
          .where('user_id', '=', claim.user_id)
          .executeTakeFirst();
  if (!row) throw missingInput(`The stems of ${card.name} are gone.`, 'Replay the mashup from separating.');
  const stems = [...wanted];
  const urls = await storage.downloadUrls(
    stems.map((stem) => row.paths[stem]),
    urlSeconds(claim),
  );
  return Object.fromEntries(stems.map((stem, index) => [stem, urls[index]]));
}

/** `<prefix>.<format>` and nothing else: the claim is in the prefix, so no other claim can have written it. */
function isOwnPath(path: string, prefix: string): boolean {
  return path.startsWith(`${prefix}.`) && /^\w+$/.test(path.slice(prefix.length + 1));
}

/** Looks at the file, and says of it what the service measured or, where it did not, what the header shows. */
async function inspect(context: TaskContext, rendered: Rendered, plan: Plan): Promise<Partial<RenderResult>> {
  const { storage, signal } = context;
  const object = await storage.stat(rendered.path);
  if (!object) throw unusable('The rendering service says that it is done, but the file is not in Storage.');
  if (object.bytes <= MIN_RESULT_BYTES) throw unusable('The rendered file has no sound in it.');
  const head = await storage.head(rendered.path, Math.min(WAV_HEADER_BYTES, object.bytes), signal);
  const wav = readWavHeader(head, object.bytes);
  if (wav && wav.durationSec <= 0) throw unusable('The rendered file has no sound in it.');
  if (rendered.path.endsWith('.wav') && !wav)
    throw unusable('The rendered file is not the WAV file that it should be.');

  const planned = plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  const duration = wav?.durationSec ?? rendered.result?.duration_sec ?? planned;
  const warnings = [...(rendered.result?.warnings ?? []), ...rendered.warnings];
  if (Math.abs(duration - planned) > planned * LENGTH_TOLERANCE)
    warnings.push(`The file is ${duration.toFixed(1)} s long; the plan says ${planned.toFixed(1)} s.`);
  if (rendered.result) {
    const { duration_sec, loudness_lufs, true_peak_dbtp } = rendered.result;
    return {
      ...rendered.result,
      duration_sec: rounded(duration_sec, 3),
      loudness_lufs: rounded(loudness_lufs, 2),
      true_peak_dbtp: rounded(true_peak_dbtp, 2),
      bytes: object.bytes,
      warnings,
    };
  }
  const { targetBPM, targetKey } = plan.masterplan.global;
  return {
    duration_sec: rounded(duration, 3),
    ...(wav ? { sample_rate: wav.sampleRate, channels: wav.channels } : {}),
    format: OutputFormat.catch('wav').parse(rendered.path.slice(rendered.path.lastIndexOf('.') + 1)),
    bytes: object.bytes,
    bpm: targetBPM,
    key: targetKey,
    warnings,
  };
}

/** Figures of the job's row travel with each of its changes. */
function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function unusable(message: string): TaskError {
  return new TaskError(message, {
    code: 'render_unusable',
    hint: 'It is tried again by itself. If it stays so, replay the mashup from planning.',
    faultClass: 'transient',
  });
}
