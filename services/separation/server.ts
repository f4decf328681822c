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
import type { EncodingJob } from './encode-thread.ts';
import { stemFile } from './stem-files.ts';
import type { SeparationJob } from './thread.ts';
import { putFile } from './upload.ts';

/** Version of the separation. It changes if equal songs give other stems. */
export const SEPARATION_VERSION = 'dsp-3';

const SEPARATION_THREAD = new URL('./thread.ts', import.meta.url);
const ENCODING_THREAD = new URL('./encode-thread.ts', import.meta.url);

type StemUpload = NonNullable<SeparateRequest['uploads']>[Stem];

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
    const job: SeparationJob = { bytes, folder };
    await runInThread<number>(SEPARATION_THREAD, job, { signal, transfer: [bytes.buffer] });
    const stems = await deliverStems({ uploads, folder, partBytes: request.part_bytes }, signal);
    return { success: true, job_id: request.job_id, stems, model: SEPARATION_VERSION };
  } catch (error) {
    throw asServiceError(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Encodes and uploads the four stems of a folder, side by side. Nothing is left running after a failure. */
async function deliverStems(
  { uploads, folder, partBytes }: { uploads: Record<Stem, StemUpload>; folder: string; partBytes: number },
  signal: AbortSignal,
): Promise<SeparateResponse['stems']> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const deliver = async (stem: Stem): Promise<[Stem, StemPath]> => {
    const files = await encodeStem({ folder, stem, partBytes }, uploads[stem], either);
    for (const { path, target } of files) await putFile(path, target, `${stem} stem`, either);
    const paths = files.map(({ target }) => target.path);
    return [stem, paths.length === 1 ? paths[0]! : paths];
  };
  const stems = STEMS.map(deliver);
  try {
    return Object.fromEntries(await Promise.all(stems)) as SeparateResponse['stems'];
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(stems);
    throw error;
  }
}

/**
 * Encodes a stem for its targets: FLAC in parts, or WAV for a caller that sent no targets for parts.
 * @throws ServiceError 400 `uploads_missing` if there are fewer targets than parts
 */
async function encodeStem(
  job: EncodingJob,
  upload: StemUpload,
  signal: AbortSignal,
): Promise<{ path: string; target: UploadTarget }[]> {
  if (upload.parts === undefined) return [{ path: stemFile(job.folder, job.stem), target: upload }];
  const targets = upload.parts;
  const files = await runInThread<string[]>(ENCODING_THREAD, job, { signal });
  if (files.length > targets.length) {
    throw new ServiceError(
      `The ${job.stem} stem has ${files.length} parts, and the request ${targets.length} targets.`,
      {
        status: 400,
        code: 'uploads_missing',
        hint: 'Send more targets in `parts` of each upload, or raise `part_bytes`.',
      },
    );
  }
  return files.map((path, part) => ({ path, target: targets[part]! }));
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
