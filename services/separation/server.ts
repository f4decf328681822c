/** The separation service: `POST /separate` separates a song into four stems that sum to it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeparateRequest, STEMS } from '../../schema.ts';
import type { OwnStem, SeparateResponse, Stem, StemPath, StemPaths, StemPiece, UploadTarget } from '../../schema.ts';
import { asServiceError, loadAudio } from '../http/audio-input.ts';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../http/app.ts';
import { ServiceError, toErrorEvent } from '../http/errors.ts';
import { streamEvents } from '../http/events.ts';
import { CLASSICAL } from './classical.ts';
import { separationModels } from './models/choose.ts';
import type { OwnPaths } from './own-stems/read-own.ts';
import { separateBytes } from './separate-bytes.ts';
import type { SeparationJob } from './separate-file.ts';
import { readSeparationSettings } from './settings.ts';
import type { SeparationSettings } from './settings.ts';
import type { StemFiles } from './stem-files.ts';
import { putFile } from './upload.ts';

type Report = (event: { progress: number; message: string }) => void;

async function separateSong(
  request: SeparateRequest,
  settings: SeparationSettings,
  { signal, report }: { signal: AbortSignal; report: Report },
): Promise<SeparateResponse> {
  const { uploads } = request;
  if (!uploads) {
    throw new ServiceError('The request has no upload URLs.', {
      status: 400,
      code: 'uploads_missing',
      hint: 'The built-in separation has no storage key: send `uploads` with a path and a signed upload URL for each stem.',
    });
  }
  const hasSong = request.own_stems?.has_song ?? true;
  const bytes = hasSong ? await loadAudio(request.audio_url, signal) : new Uint8Array();
  const folder = await mkdtemp(join(tmpdir(), 'mashup-stems-'));
  try {
    const own = request.own_stems && { hasSong, paths: await loadOwnStems(request.own_stems.urls, folder, signal) };
    const isInParts = STEMS.every((stem) => uploads[stem].parts !== undefined);
    const { layout, part_bytes: partBytes, ranges, duration_sec: durationSec } = request;
    const job: SeparationJob = {
      folder,
      layout,
      ranges,
      durationSec,
      own,
      partBytes: isInParts ? partBytes : undefined,
    };
    const { pieces, files, model, warnings } = await separateBytes(bytes, job, {
      method: request.method,
      settings,
      signal,
      report,
    });
    const uploaded = await uploadStems(
      files,
      (stem) => (isInParts ? (uploads[stem].parts ?? []) : [uploads[stem]]),
      signal,
    );
    return {
      success: true,
      job_id: request.job_id,
      model,
      warnings,
      ...(pieces
        ? { pieces: pieces.map((piece, i): StemPiece => ({ ...piece, ...uploaded[i]! })) }
        : { stems: uploaded[0]! }),
    };
  } catch (error) {
    throw asServiceError(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Downloads the stems of the user to the folder.
 * @returns their paths
 * @throws ServiceError as `loadAudio`
 */
async function loadOwnStems(urls: OwnPaths, folder: string, signal: AbortSignal): Promise<OwnPaths> {
  const paths: OwnPaths = {};
  for (const [stem, url] of Object.entries(urls) as [OwnStem, string][]) {
    const path = join(folder, `own.${stem}`);
    await writeFile(path, await loadAudio(url, signal));
    paths[stem] = path;
  }
  return paths;
}

/**
 * Uploads the files of the four stems, side by side. Nothing is left running after a failure.
 * @param files the files of each piece, or of the whole song as one
 * @returns for each piece the path of each stem, or the paths of its parts
 * @throws ServiceError 400 `uploads_missing` if a stem has more files than targets
 */
async function uploadStems(
  files: readonly StemFiles[],
  targetsOf: (stem: Stem) => UploadTarget[],
  signal: AbortSignal,
): Promise<StemPaths[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const upload = async (stem: Stem): Promise<[Stem, StemPath[]]> => {
    const parts = files.flatMap((piece) => piece[stem]);
    const targets = targetsOf(stem).slice(0, parts.length);
    if (targets.length < parts.length) throw targetsMissing(stem, parts.length, targets.length);
    for (const [part, target] of targets.entries()) await putFile(parts[part]!, target, `${stem} stem`, either);
    let next = 0;
    const paths = files.map((piece): StemPath => {
      const own = targets.slice(next, (next += piece[stem].length)).map(({ path }) => path);
      return own.length === 1 ? own[0]! : own;
    });
    return [stem, paths];
  };
  const uploads = STEMS.map(upload);
  try {
    const byStem = await Promise.all(uploads);
    return files.map((_, i) => Object.fromEntries(byStem.map(([stem, paths]) => [stem, paths[i]])) as StemPaths);
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
export function createSeparationServer(settings: SeparationSettings = readSeparationSettings({})): Server {
  const app = createServiceApp({
    service: 'separation',
    version: CLASSICAL.model,
    health: async () => ({ models: await separationModels(settings) }),
  });
  app.post('/separate', async (context) => {
    const request = await readBody(context, SeparateRequest);
    const signal = disconnectSignal(context);
    if (!context.req.header('Accept')?.includes('text/event-stream'))
      return context.json(await separateSong(request, settings, { signal, report: () => {} }));
    return streamEvents(
      context,
      async (send) => send(await separateSong(request, settings, { signal, report: send })),
      toErrorEvent,
    );
  });
  return createServiceServer(app);
}
