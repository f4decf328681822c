/** The separation service: `POST /separate` separates a song into four stems that sum to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeparateRequest, STEMS } from '../../schema.ts';
import type { SeparateResponse, Stem, StemPath, UploadTarget } from '../../schema.ts';
import { asServiceError, loadAudio } from '../http/audio-input.ts';
import { runInThread } from '../../audio/thread.ts';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../http/app.ts';
import { ServiceError } from '../http/errors.ts';
import type { SeparationJob } from './thread.ts';
import { putFile } from './upload.ts';

/** Version of the separation. It changes if equal songs give other stems. */
export const SEPARATION_VERSION = 'dsp-4';

const THREAD = new URL('./thread.ts', import.meta.url);

async function separateSong(request: SeparateRequest, signal: AbortSignal): Promise<SeparateResponse> {
  const { uploads } = request;
  if (!uploads) {
    throw new ServiceError('The request has no upload URLs.', {
      status: 400,
      code: 'uploads_missing',
      hint: 'The built-in separation has no storage key: send `uploads` with a path and a signed upload URL for each stem.',
    });
  }
  const bytes = await loadAudio(request.audio_url, signal);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-stems-'));
  try {
    const isInParts = STEMS.every((stem) => uploads[stem].parts !== undefined);
    const { layout, part_bytes: partBytes } = request;
    const job: SeparationJob = { bytes, folder, ...(isInParts ? { partBytes } : {}), ...(layout ? { layout } : {}) };
    const files = await runInThread<Record<Stem, string[]>>(THREAD, job, { signal, transfer: [bytes.buffer] });
    const stems = await uploadStems(
      files,
      (stem) => (isInParts ? (uploads[stem].parts ?? []) : [uploads[stem]]),
      signal,
    );
    return { success: true, job_id: request.job_id, stems, model: SEPARATION_VERSION };
  } catch (error) {
    throw asServiceError(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Uploads the files of the four stems, side by side. Nothing is left running after a failure.
 * @returns the path of each stem, or the paths of its parts
 * @throws ServiceError 400 `uploads_missing` if a stem has more files than targets
 */
async function uploadStems(
  files: Record<Stem, string[]>,
  targetsOf: (stem: Stem) => UploadTarget[],
  signal: AbortSignal,
): Promise<SeparateResponse['stems']> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const upload = async (stem: Stem): Promise<[Stem, StemPath]> => {
    const targets = targetsOf(stem).slice(0, files[stem].length);
    if (targets.length < files[stem].length) throw targetsMissing(stem, files[stem].length, targets.length);
    for (const [part, target] of targets.entries()) await putFile(files[stem][part]!, target, `${stem} stem`, either);
    const paths = targets.map(({ path }) => path);
    return [stem, paths.length === 1 ? paths[0]! : paths];
  };
  const uploads = STEMS.map(upload);
  try {
    return Object.fromEntries(await Promise.all(uploads)) as SeparateResponse['stems'];
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(uploads);
    throw error;
  }
}

function targetsMissing(stem: Stem, parts: number, targets: number): ServiceError {
  return new ServiceError(`The ${stem} stem has ${parts} parts, and the request ${targets} targets.`, {
    status: 400,
    code: 'uploads_missing',
    hint: 'Send more targets in `parts` of each upload, or raise `part_bytes`.',
  });
}

/** Creates the separation service's HTTP server. It does not listen yet. */
export function createSeparationServer(): Server {
  const app = createServiceApp({ service: 'separation', version: SEPARATION_VERSION });
  app.post('/separate', async (context) => {
    const request = await readBody(context, SeparateRequest);
    return context.json(await separateSong(request, disconnectSignal(context)));
  });
  return createServiceServer(app);
}
