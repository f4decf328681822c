/** The `separate` task: the four stems of a song, from its owner's cache or from the service. */
import type { SeparateTaskResult } from '../../schema/task-results.ts';
import { filesOfStems, maxStemParts, missingRanges, piecesOf, SEAM_SEC, STEMS } from '../../schema.ts';
import type { SeparateRequest, SongRanges, StemLayout, StoredStems, UploadTarget } from '../../schema.ts';
import { SONG_MAX_SEC, STEM_PART_BYTES, STORAGE_MAX_BYTES } from '../../schema/constants.ts';
import type { SongCard } from '../../schema/database.ts';
import { settingNumber } from '../database/database-api.ts';
import { TaskError } from '../errors.ts';
import { callSeparate } from '../services/separation.ts';
import { silenceLimitMs, missingInput, songOf, uploadTarget, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { startOpening } from './opening.ts';
import { FOUR_STEMS, layoutOf } from './stem-layout.ts';

/** A WAV without samples is 44 bytes long. */
const MIN_STEM_BYTES = 45;
/** The separation may decode a little more than the analysis counted. */
const LENGTH_MARGIN_SEC = 5;
/** A shorter rest of a song is not separated by a call of its own. */
const MIN_REST_SEC = 4;

/** Stems of the cache. `isLost`: files of them do not exist. */
type CachedStems = { id: string; paths: StoredStems; isLost: boolean };

/** What the service is asked for. `parts` is the number of files that a stem may need; no `ranges`: the whole song. */
type Separation = {
  prefix: string;
  partBytes: number;
  parts: number;
  layout: StemLayout | undefined;
  ranges: SongRanges | undefined;
};

/** What the service made. */
type Separated = { paths: StoredStems; model: string };

/** Runs the task. Returns the result for `mashup.record_stems`. */
export async function separate(context: TaskContext): Promise<SeparateTaskResult> {
  const { claim } = context;
  const song = songOf(claim);
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Retry the mashup.');
  const layout = await findLayout(context, song);
  const { ranges: wanted, opening } = await findRanges(context, song);
  const cached = claim.fresh || song.hash === undefined ? undefined : await findStems(context, song.hash, layout);
  const ranges = rangesToSeparate(wanted, cached);
  if (cached && ranges?.length === 0) {
    return { stems_id: cached.id, from_cache: true, service_used: false, message: `${song.name} was separated before` };
  }

  const partBytes = Math.min(STEM_PART_BYTES, await settingNumber(context, 'storage_max_bytes', STORAGE_MAX_BYTES));
  const parts = maxStemParts(await maxSeconds(context, song), partBytes) + (ranges?.length ?? 0);
  const separation = { prefix, partBytes, parts, layout, ranges };
  const first = claim.fresh || cached || !context.rendersOpenings ? [] : openingRanges(opening, ranges);
  const { paths, model } =
    first.length > 0
      ? await separateOpeningFirst(context, song, separation, first)
      : await separateSong(context, song, separation);
  const message = ranges ? `What the mashup plays of ${song.name} is separated` : `${song.name} is separated`;
  return { model, paths, layout, replaces: cached?.isLost, service_used: true, message };
}

/** What is to be separated: undefined for the whole song, empty if the cache has it. */
function rangesToSeparate(wanted: SongRanges | undefined, cached: CachedStems | undefined): SongRanges | undefined {
  if (!cached || cached.isLost) return wanted;
  const pieces = piecesOf(cached.paths);
  if (!pieces) return [];
  return wanted && withSeams(missingRanges(wanted, pieces));
}

/** Ranges that overlap with the pieces beside them. */
const withSeams = (ranges: SongRanges): SongRanges =>
  ranges.map(([from, to]) => [Math.max(0, from - SEAM_SEC), to + SEAM_SEC]);

/** What the opening plays of a song that is separated in parts; empty if that is nearly all of it. */
function openingRanges(opening: SongRanges | undefined, ranges: SongRanges | undefined): SongRanges {
  const pieces = (opening ?? []).map(([start_sec, end_sec]) => ({ start_sec, end_sec }));
  const left = ranges ? missingRanges(ranges, pieces) : [];
  return left.some(([from, to]) => to - from > MIN_REST_SEC) ? (opening ?? []) : [];
}

/** Separates what the opening plays of the song, and then the rest, while the opening is rendered. */
async function separateOpeningFirst(
  context: TaskContext,
  song: SongCard,
  separation: Separation,
  first: SongRanges,
): Promise<Separated> {
  const prefix = `${separation.prefix}/opening`;
  const beginning = await separateSong(context, song, { ...separation, prefix, ranges: first });
  const pieces = piecesOf(beginning.paths);
  // The service knows no ranges: this is the whole song.
  if (!pieces) return beginning;
  const opening = startOpening(context, beginning.paths);
  try {
    const ranges = withSeams(missingRanges(separation.ranges ?? [], pieces));
    const rest = await separateSong(context, song, { ...separation, ranges });
    await opening.finish();
    const others = piecesOf(rest.paths);
    if (!others) return rest;
    return { ...rest, paths: { pieces: [...pieces, ...others].sort((a, b) => a.start_sec - b.start_sec) } };
  } finally {
    opening.stop();
  }
}

/** Calls the service. Returns stems that are in Storage, below the prefix, and hold the ranges. */
async function separateSong(
  context: TaskContext,
  song: SongCard,
  { prefix, partBytes, parts, layout, ranges }: Separation,
): Promise<Separated> {
  const { claim, signal, storage } = context;
  const [uploads, audioUrl] = await Promise.all([
    signUploads(context, prefix, parts),
    storage.downloadUrl(song.path, urlSeconds(claim)),
  ]);
  const separated = await callSeparate(
    context.serviceUrls.separation,
    {
      audio_url: audioUrl,
      job_id: prefix.replace(/^stems\//, ''),
      uploads,
      part_bytes: partBytes,
      layout,
      method: 'auto',
      duration_sec: song.duration_sec,
      ranges: ranges?.map(([start_sec, end_sec]) => ({ start_sec, end_sec })),
    },
    { signal, timeoutMs: silenceLimitMs(context), token: context.serviceTokens.separation },
  );
  const { paths } = separated;
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
  return separated;
}

/** Length that the stems of a song have at most. */
async function maxSeconds(context: TaskContext, { duration_sec }: SongCard): Promise<number> {
  return (duration_sec ?? (await settingNumber(context, 'song_max_sec', SONG_MAX_SEC))) + LENGTH_MARGIN_SEC;
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

/**
 * Returns what the current plan, and what its opening plays of a song. `ranges` is undefined if all of the song is needed, or there is no
 * plan yet.
 */
async function findRanges(
  { db, claim }: TaskContext,
  { song_id }: SongCard,
): Promise<{ ranges?: SongRanges | undefined; opening?: SongRanges | undefined }> {
  if (claim.plan_version === null) return {};
  const row = await db
    .selectFrom('public.mashup_plans')
    .select(['ranges', 'opening'])
    .where('job_id', '=', claim.job_id)
    .where('version', '=', claim.plan_version)
    .executeTakeFirst();
  return { ranges: row?.ranges?.[song_id], opening: row?.opening?.ranges[song_id] };
}

/** Finds the owner's stems of the same content and layout. `isLost`: files of them do not exist. */
async function findStems(
  context: TaskContext,
  hash: string,
  layout: StemLayout | typeof FOUR_STEMS = FOUR_STEMS,
): Promise<CachedStems | undefined> {
  const row = await context.db
    .selectFrom('mashup.stems')
    .select(['id', 'paths'])
    .where('user_id', '=', context.claim.user_id)
    .where('content_hash', '=', hash)
    .where('layout', '=', layout)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { ...row, isLost: (await findMissing(context, row.paths)) !== undefined };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Returns the first stem of which a file is missing or has no samples. */
async function findMissing({ storage }: TaskContext, paths: StoredStems): Promise<string | undefined> {
  // The files of a separation are in one folder, so that one listing finds all of them.
  const folders = new Set(filesOfStems(paths, STEMS).map(folderOf));
  const objects = (await Promise.all([...folders].map((folder) => storage.statAll(folder)))).flat();
  const found = new Set(objects.filter(({ bytes }) => bytes >= MIN_STEM_BYTES).map(({ path }) => path));
  return STEMS.find((stem) => !filesOfStems(paths, [stem]).every((path) => found.has(path)));
}
