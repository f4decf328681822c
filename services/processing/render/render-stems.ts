/**
 * The stems of a finished mashup: its plan is rendered and corrected as before, then each layer of the best candidate is kept apart,
 * mastered with the gains of the mashup, and uploaded in parts.
 */
import type { RenderedStems, RenderStemsRequest } from '../../../schema.ts';
import { stemPartEnds } from '../../../schema/mashup-stems.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { collectGarbage } from '../../http/collect-garbage.ts';
import { RenderError } from '../errors.ts';
import { downloadMashup } from '../files/download-mashup.ts';
import type { RenderCache } from '../files/render-cache.ts';
import type { ScratchRegion } from '../files/scratch.ts';
import { uploadMashup } from '../files/upload.ts';
import { chooseTuning } from '../plan/tuning.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { RenderedCandidate } from './candidate.ts';
import { type Bus, separateLayers, usedOpening } from './layers.ts';
import { readOpening } from './opening.ts';
import type { ReportProgress } from './progress.ts';
import { renderBest, withPrepared } from './render.ts';

/** Share of the progress that rendering the mashup once more takes; the rest is for its stems. */
const RENDER_SHARE = 0.6;
/** A stem whose largest sample is smaller is silent: half of the smallest step of 16 bits. */
const SILENT_PEAK = 0.5 / 32_768;
/** Largest sample of a stem in its file. */
const MAX_PEAK = 0.999;
/** A mashup of which its stems leave more is another one: the songs were separated otherwise since. */
const MAX_RESIDUAL_DB = -6;

/** A stem as it is mastered. */
type MixedBus = Bus & { region: ScratchRegion; peak: number };

/**
 * Renders the stems of a mashup and uploads them.
 * @throws RenderError; the reason of the threads' signal when it fires
 */
export async function renderStems(
  request: RenderStemsRequest,
  threads: RenderThreads,
  report: ReportProgress,
  { cache }: { cache: RenderCache | undefined },
): Promise<RenderedStems> {
  const reportRender: ReportProgress = (progress, message) => report(progress * RENDER_SHARE, message);
  return withPrepared(
    request,
    threads,
    reportRender,
    { cache, count: Infinity },
    async ({ context, plan, scratch }) => {
      const tuning = chooseTuning(plan, context.songs);
      const opening = request.opening && (await readOpening(cache, request.opening, tuning));
      const { candidate } = await renderBest(context, plan, tuning, { onSection: undefined, opening });
      const used = usedOpening(candidate, opening, cache, request);
      const frames = Math.round(plan.durationSec * SAMPLE_RATE);
      const step = stepper(report, 100 * RENDER_SHARE, 4);
      const gains = await masterAgain(request, threads, candidate, frames);
      context.sections.release();
      collectGarbage();
      step('Separating the layers');
      const buses = await separateLayers(context, candidate, scratch, used);
      context.stems.release();
      step('Mixing the stems');
      const mixed = await Promise.all(
        buses.map(async (bus): Promise<MixedBus> => {
          const region = scratch.reserve(frames);
          return { ...bus, region, ...(await threads.run('bus', { layers: bus.layers, gains, into: region })) };
        }),
      );
      const heard = mixed.filter(({ peak }) => peak >= SILENT_PEAK);
      const level = Math.min(1, MAX_PEAK / Math.max(MAX_PEAK, ...heard.map(({ peak }) => peak)));
      step('Comparing the stems with the mashup');
      const residual_db = await compare(request, threads, heard, level);
      step('Uploading the stems');
      const ends = stemPartEnds(frames);
      const files = await Promise.all(heard.map((bus) => uploadBus(request, threads, bus, { ends, level })));
      return {
        sample_rate: SAMPLE_RATE,
        total_frames: frames,
        ends,
        level_db: level === 1 ? 0 : 20 * Math.log10(level),
        residual_db,
        files,
      };
    },
  );
}

/** Mixes a candidate and returns the gains with which it is mastered. Its sections are forgotten: the mix holds them. */
async function masterAgain(
  { stems: { mastering }, format }: RenderStemsRequest,
  threads: RenderThreads,
  { sections }: RenderedCandidate,
  frames: number,
): Promise<Float32Array<SharedArrayBuffer>> {
  const { channels: mix, loudness } = await threads.run('mix', { sections, frames });
  sections.length = 0;
  return threads.run('gains', { mix, loudness, mastering, format });
}

/** Reports the steps after a render, which take the rest of the progress in equal shares. */
function stepper(report: ReportProgress, from: number, count: number): (message: string) => void {
  let done = 0;
  return (message) => report(from + ((100 - from) * ++done) / count, message);
}

/** Compares the stems with the mashup that was delivered. Returns the residual in dB. @throws RenderError mashup_differs */
async function compare(
  { stems: { mashup_url } }: RenderStemsRequest,
  threads: RenderThreads,
  buses: readonly MixedBus[],
  level: number,
): Promise<number> {
  const mashup = await downloadMashup(mashup_url, threads.signal);
  const residual = await threads.run('residual', { mashup, stems: buses.map(({ region }) => region), level });
  if (residual <= MAX_RESIDUAL_DB) return residual;
  throw new RenderError(
    'mashup_differs',
    'The stems do not sum to the mashup: it was rendered from other stems of its songs, or by another version',
    'Replay the mashup from rendering, then ask for its stems again.',
  );
}

/** Uploads the parts of a stem. @throws RenderError upload_missing, upload_failed, storage_unavailable */
async function uploadBus(
  { stems: { files } }: RenderStemsRequest,
  threads: RenderThreads,
  { songId, stem, region }: MixedBus,
  { ends, level }: { ends: readonly number[]; level: number },
): Promise<RenderedStems['files'][number]> {
  const target = files.find((file) => file.song_id === songId && file.stem === stem);
  if (!target || target.parts.length < ends.length) {
    throw new RenderError(
      'upload_missing',
      `The request has no upload targets for the ${stem} of a song, or too few`,
      'Send targets for each stem that the mashup may play.',
    );
  }
  let bytes = 0;
  for (const [part, to] of ends.entries()) {
    const file = await threads.run('busPart', { region, from: ends[part - 1] ?? 0, to, level });
    await uploadMashup(target.parts[part]!, file, 'flac', threads.signal);
    bytes += file.length;
  }
  return { song_id: songId, stem, path: target.path, bytes };
}
