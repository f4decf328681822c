/** One call of the separation service: a song, or parts of it, to files below the prefix of the task. */
import { filesOfStems, missingRanges, piecesOf, STEMS } from '../../schema.ts';
import type { SeparateRequest, SeparationChoice, SongRanges, StemLayout, UploadTarget } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import { TaskError } from '../errors.ts';
import { callSeparate } from '../services/separation.ts';
import type { Separated } from '../services/separation.ts';
import { findMissing } from './cached-stems.ts';
import { callLimitMs, silenceLimitMs, uploadTarget, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { ownStemsRequest, requireOwnModel } from './own-stems.ts';

/** What the service is asked for. `parts` is the number of files that a stem may need; no `ranges`: the whole song. */
export type Separation = {
  prefix: string;
  partBytes: number;
  parts: number;
  layout: StemLayout | undefined;
  ranges: SongRanges | undefined;
  method: SeparationChoice;
};

/**
 * Calls the service.
 * @param share part of the task's progress that this call is, as [from, to] in 0..1
 * @returns stems that are in Storage, below the prefix, and hold the ranges
 * @throws TaskError
 */
export async function separateSong(
  context: TaskContext,
  song: SongCard,
  { prefix, partBytes, parts, layout, ranges, method }: Separation,
  [from, to]: readonly [number, number] = [0, 1],
): Promise<Separated> {
  const { claim, signal, storage } = context;
  const [uploads, audioUrl, ownStems] = await Promise.all([
    signUploads(context, prefix, parts),
    storage.downloadUrl(song.path, urlSeconds(claim)),
    ownStemsRequest(context, song),
  ]);
  const separated = await callSeparate(
    context.serviceUrls.separation,
    {
      audio_url: audioUrl,
      job_id: prefix.replace(/^stems\//, ''),
      uploads,
      part_bytes: partBytes,
      layout,
      method,
      own_stems: ownStems,
      duration_sec: song.duration_sec,
      ranges: ranges?.map(([start_sec, end_sec]) => ({ start_sec, end_sec })),
    },
    {
      signal,
      timeoutMs: callLimitMs(context),
      idleMs: silenceLimitMs(context),
      token: context.serviceTokens.separation,
      onProgress: (progress, message) => context.reportProgress(from + progress * (to - from), stepOf(song, message)),
    },
  );
  if (ownStems) requireOwnModel(separated.model);
  await verify(context, separated, prefix, ranges);
  return separated;
}

/** The text of the current step: `Separating Song: segment 3 of 14`. */
function stepOf({ name }: SongCard, message: string): string {
  const detail = message === '' ? '' : `: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  return `Separating ${name}${detail}`;
}

async function verify(
  context: TaskContext,
  { paths }: Separated,
  prefix: string,
  ranges: SongRanges | undefined,
): Promise<void> {
  if (!filesOfStems(paths, STEMS).every((path) => path.startsWith(`${prefix}/`))) {
    throw new TaskError('The separation service wrote a stem to a path outside its prefix.', {
      code: 'service_wrong_path',
      hint: 'The service must write to stems/<job_id>/; check its version.',
      faultClass: 'permanent',
    });
  }
  const pieces = piecesOf(paths);
  if (pieces && (!ranges || missingRanges(ranges, pieces).length > 0)) {
    throw new TaskError('The separation service returned other parts of the song than were requested.', {
      code: 'service_wrong_ranges',
      hint: 'The pieces must hold all requested ranges; check the version of the service.',
      faultClass: 'permanent',
    });
  }
  const missing = await findMissing(context, paths);
  if (missing !== undefined) {
    throw new TaskError(`The separation service reported success, but the ${missing} stem is not in Storage.`, {
      code: 'stems_missing',
      hint: 'Check that the service writes to the same project as the worker (SUPABASE_URL).',
      faultClass: 'transient',
    });
  }
}

/** Signs the uploads of each stem: one WAV for services that know no parts, and the FLAC parts that it may need. */
async function signUploads(
  context: TaskContext,
  prefix: string,
  parts: number,
): Promise<NonNullable<SeparateRequest['uploads']>> {
  const sign = (name: string): Promise<UploadTarget> => uploadTarget(context, `${prefix}/${name}`);
  const targets = await Promise.all(
    STEMS.map(async (stem) => {
      const [whole, inParts] = await Promise.all([
        sign(`${stem}.wav`),
        Promise.all(Array.from({ length: parts }, (_, part) => sign(`${stem}.${part + 1}.flac`))),
      ]);
      return [stem, { ...whole, parts: inParts }] as const;
    }),
  );
  return Object.fromEntries(targets) as NonNullable<SeparateRequest['uploads']>;
}
