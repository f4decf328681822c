/** The separation service: `POST /separate` separates a song into four stems that sum to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeparateRequest, STEMS } from '../../schema.ts';
import type { SeparateResponse } from '../../schema.ts';
import { asServiceError, loadAudio } from '../http/audio-input.ts';
import { runInThread } from '../../audio/thread.ts';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../http/app.ts';
import { ServiceError } from '../http/errors.ts';
import { freshUploadUrl } from '../http/fresh-upload.ts';
import { stemFile } from './stem-files.ts';
import type { SeparationJob } from './thread.ts';
import { putFile } from './upload.ts';

/** Version of the separation. It changes if equal songs give other stems. */
export const SEPARATION_VERSION = 'dsp-3';

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
    const job: SeparationJob = { bytes, folder };
    await runInThread<number>(THREAD, job, { signal, transfer: [bytes.buffer] });
    for (const stem of STEMS) {
      const url = await freshUploadUrl(uploads[stem], signal);
      await putFile(stemFile(folder, stem), url, 'audio/wav', signal);
    }
  } catch (error) {
    throw asServiceError(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { vocals, drums, bass, other } = uploads;
  const stems = { vocals: vocals.path, drums: drums.path, bass: bass.path, other: other.path };
  return { success: true, job_id: request.job_id, stems, model: SEPARATION_VERSION };
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
