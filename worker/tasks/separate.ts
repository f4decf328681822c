/** The `separate` task: the four stems of a song, from its owner's cache or from the service. */
import type { SeparateTaskResult } from '../../schema/task-results.ts';
import { STEMS } from '../../schema.ts';
import type { StemPaths, UploadTarget } from '../../schema.ts';
import { TaskError } from '../errors.ts';
import { callSeparate } from '../services/separation.ts';
import { silenceLimitMs, missingInput, songOf, uploadTarget, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';

/** A WAV without samples is 44 bytes long. */
const MIN_STEM_BYTES = 45;

/** Runs the task. Returns the result for `mashup.record_stems`. */
export async function separate(context: TaskContext): Promise<SeparateTaskResult> {
  const { claim, signal, storage } = context;
  const song = songOf(claim);
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Retry the mashup.');
  if (!claim.fresh && song.hash !== undefined) {
    const cached = await findStems(context, song.hash);
    if (cached) {
      return {
        stems_id: cached.id,
        from_cache: true,
        service_used: false,
        message: `${song.name} was separated before`,
      };
    }
  }

  const [uploads, audioUrl] = await Promise.all([
    signUploads(context, prefix),
    storage.downloadUrl(song.path, urlSeconds(claim)),
  ]);
  const { paths, model } = await callSeparate(
    context.serviceUrls.separation,
    { audio_url: audioUrl, job_id: prefix.replace(/^stems\//, ''), uploads },
    { signal, timeoutMs: silenceLimitMs(context) },
  );
  for (const stem of STEMS) {
    if (!paths[stem].startsWith(`${prefix}/`)) {
      throw new TaskError('The separation service wrote a stem to a path outside its prefix.', {
        code: 'service_wrong_path',
        hint: 'The service must write to stems/<job_id>/; check its version.',
        faultClass: 'permanent',
      });
    }
  }
  const missing = await findMissing(context, paths);
  if (missing !== undefined) {
    throw new TaskError(`The separation service reported success, but the ${missing} stem is not in Storage.`, {
      code: 'stems_missing',
      hint: 'Check that the service writes to the same project as the worker (SUPABASE_URL).',
      faultClass: 'transient',
    });
  }
  return { model, paths, service_used: true, message: `${song.name} is separated` };
}

async function signUploads(context: TaskContext, prefix: string): Promise<Record<keyof StemPaths, UploadTarget>> {
  const targets = await Promise.all(
    STEMS.map(async (stem) => [stem, await uploadTarget(context, `${prefix}/${stem}.wav`)] as const),
  );
  return Object.fromEntries(targets) as Record<keyof StemPaths, UploadTarget>;
}

/** Finds the owner's stems of the same content, if their files still exist. */
async function findStems(context: TaskContext, hash: string): Promise<{ id: string } | undefined> {
  const row = await context.db
    .selectFrom('mashup.stems')
    .select(['id', 'paths'])
    .where('user_id', '=', context.claim.user_id)
    .where('content_hash', '=', hash)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row || (await findMissing(context, row.paths)) !== undefined) return undefined;
  return { id: row.id };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Returns the first stem whose file is missing or has no samples. */
async function findMissing({ storage }: TaskContext, paths: StemPaths): Promise<string | undefined> {
  // The stems of a song are in one folder, so that one listing finds all four.
  const folders = new Set(STEMS.map((stem) => folderOf(paths[stem])));
  const objects = (await Promise.all([...folders].map((folder) => storage.statAll(folder)))).flat();
  return STEMS.find((stem) => {
    const object = objects.find(({ path }) => path === paths[stem]);
    return !object || object.bytes < MIN_STEM_BYTES;
  });
}
