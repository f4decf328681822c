/** The `separate` task: the four stems of a song, from its owner's cache or from the service. */
import type { SeparateTaskResult } from '../../schema/task-results.ts';
import { filesOf, maxStemParts, STEMS } from '../../schema.ts';
import type { SeparateRequest, StemLayout, StemPaths, UploadTarget } from '../../schema.ts';
import { SONG_MAX_SEC, STEM_PART_BYTES, STORAGE_MAX_BYTES } from '../../schema/constants.ts';
import type { SongCard } from '../../schema/database.ts';
import { settingNumber } from '../database/database-api.ts';
import { TaskError } from '../errors.ts';
import { callSeparate } from '../services/separation.ts';
import { silenceLimitMs, missingInput, songOf, uploadTarget, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { FOUR_STEMS, layoutOf } from './stem-layout.ts';

/** A WAV without samples is 44 bytes long. */
const MIN_STEM_BYTES = 45;
/** The separation may decode a little more than the analysis counted. */
const LENGTH_MARGIN_SEC = 5;

/** Runs the task. Returns the result for `mashup.record_stems`. */
export async function separate(context: TaskContext): Promise<SeparateTaskResult> {
  const { claim, signal, storage } = context;
  const song = songOf(claim);
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Retry the mashup.');
  const layout = await findLayout(context, song);
  if (!claim.fresh && song.hash !== undefined) {
    const cached = await findStems(context, song.hash, layout);
    if (cached) {
      return {
        stems_id: cached.id,
        from_cache: true,
        service_used: false,
        message: `${song.name} was separated before`,
      };
    }
  }

  const partBytes = Math.min(STEM_PART_BYTES, await settingNumber(context.db, 'storage_max_bytes', STORAGE_MAX_BYTES));
  const [uploads, audioUrl] = await Promise.all([
    signUploads(context, prefix, maxStemParts(await maxSeconds(context, song), partBytes)),
    storage.downloadUrl(song.path, urlSeconds(claim)),
  ]);
  const { paths, model } = await callSeparate(
    context.serviceUrls.separation,
    { audio_url: audioUrl, job_id: prefix.replace(/^stems\//, ''), uploads, part_bytes: partBytes, layout },
    { signal, timeoutMs: silenceLimitMs(context), token: context.serviceTokens.separation },
  );
  for (const stem of STEMS) {
    if (!filesOf(paths[stem]).every((path) => path.startsWith(`${prefix}/`))) {
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
  return { model, paths, layout, service_used: true, message: `${song.name} is separated` };
}

/** Length that the stems of a song have at most. */
async function maxSeconds({ db }: TaskContext, { duration_sec }: SongCard): Promise<number> {
  return (duration_sec ?? (await settingNumber(db, 'song_max_sec', SONG_MAX_SEC))) + LENGTH_MARGIN_SEC;
}

/** Finds the layout of a song's stems from its analysis. Undefined for four stems. */
async function findLayout({ db, claim }: TaskContext, song: SongCard): Promise<StemLayout | undefined> {
  if (song.analysis_id === undefined) return undefined;
  const row = await db
    .selectFrom('mashup.analyses')
    .select('analysis')
    .where('id', '=', String(song.analysis_id))
    .where('user_id', '=', claim.user_id)
    .executeTakeFirst();
  return row && layoutOf(song.name, row.analysis);
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

/** Finds the owner's stems of the same content and layout, if their files still exist. */
async function findStems(
  context: TaskContext,
  hash: string,
  layout: StemLayout | typeof FOUR_STEMS = FOUR_STEMS,
): Promise<{ id: string } | undefined> {
  const row = await context.db
    .selectFrom('mashup.stems')
    .select(['id', 'paths'])
    .where('user_id', '=', context.claim.user_id)
    .where('content_hash', '=', hash)
    .where('layout', '=', layout)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row || (await findMissing(context, row.paths)) !== undefined) return undefined;
  return { id: row.id };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Returns the first stem of which a file is missing or has no samples. */
async function findMissing({ storage }: TaskContext, paths: StemPaths): Promise<string | undefined> {
  // The files of a song are in one folder, so that one listing finds all of them.
  const folders = new Set(STEMS.flatMap((stem) => filesOf(paths[stem])).map(folderOf));
  const objects = (await Promise.all([...folders].map((folder) => storage.statAll(folder)))).flat();
  const isThere = (path: string): boolean =>
    objects.some((object) => object.path === path && object.bytes >= MIN_STEM_BYTES);
  return STEMS.find((stem) => !filesOf(paths[stem]).every(isThere));
}
