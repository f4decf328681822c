/** The `separate` task: the four stems of a song, from its owner's cache or from the service. */
import type { SeparateTaskResult } from '../../schema/task-results.ts';
import { maxStemParts, missingRanges, piecesOf } from '../../schema.ts';
import type { SongRanges, StemLayout, StemPiece, StoredStems } from '../../schema.ts';
import { SONG_MAX_SEC, STEM_PART_BYTES, STORAGE_MAX_BYTES } from '../../schema/constants.ts';
import type { SeparationMethodName, SongCard } from '../../schema/database.ts';
import type { Claim } from '../database/database-api.ts';
import { settingNumber } from '../database/database-api.ts';
import { TaskError } from '../errors.ts';
import type { Separated } from '../services/separation.ts';
import { findStems, rangesToSeparate, separatorOf, withSeams } from './cached-stems.ts';
import type { CachedStems, StemQuery } from './cached-stems.ts';
import { missingInput, songOf } from './context.ts';
import type { TaskContext } from './context.ts';
import { startOpening } from './opening.ts';
import { isOwnModel } from './own-stems.ts';
import { separateSong } from './separate-song.ts';
import type { Separation } from './separate-song.ts';
import { layoutOf } from './stem-layout.ts';

/** The separation may decode a little more than the analysis counted. */
const LENGTH_MARGIN_SEC = 5;
/** A shorter rest of a song is not separated by a call of its own. */
const MIN_REST_SEC = 4;

/** How a song is to be separated, where the claim does not say it. */
const ANY_MODEL = { method: 'auto', models: null, classical: null } as const satisfies Claim['separation'];

/** Runs the task. Returns the result for `mashup.record_stems`. */
export async function separate(context: TaskContext): Promise<SeparateTaskResult> {
  const { claim } = context;
  const song = songOf(claim);
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Retry the mashup.');
  const { method, models, classical } = claim.separation ?? ANY_MODEL;
  const layout = await findLayout(context, song);
  const { ranges: wanted, opening } = await findRanges(context, song);
  const query: StemQuery | undefined =
    claim.fresh || song.hash === undefined
      ? undefined
      : { hash: song.hash, layout, models: models?.filter((model) => model !== null) ?? null, ranges: wanted };
  const cached = query && (await findStems(context, query));
  const ranges = rangesToSeparate(wanted, cached);
  if (cached && ranges?.length === 0) {
    return { stems_id: cached.id, from_cache: true, service_used: false, message: `${song.name} was separated before` };
  }

  const partBytes = Math.min(STEM_PART_BYTES, await settingNumber(context, 'storage_max_bytes', STORAGE_MAX_BYTES));
  const parts = maxStemParts(await maxSeconds(context, song), partBytes) + (ranges?.length ?? 0);
  const separation: Separation = { prefix, partBytes, parts, layout, ranges, method };
  const first =
    claim.fresh || cached || claim.is_studio || !context.rendersOpenings ? [] : openingRanges(opening, ranges);
  const made =
    first.length > 0
      ? await separateOpeningFirst(context, song, separation, first)
      : [await separateSong(context, song, separation)];
  const { paths, model } = await ofOneModel(context, song, { separation, query, cached, made });
  const warnings = [...new Set(made.flatMap((one) => one.warnings))];
  return {
    model,
    method: methodOf(model, classical),
    paths,
    layout,
    replaces: cached?.isLost === true && cached.model === model,
    warnings: warnings.map((message) => ({ code: 'separation_replaced', message })),
    service_used: true,
    message: ranges ? `What the mashup plays of ${song.name} is separated` : `${song.name} is separated`,
  };
}

/** Returns the method of a model. A service that does not name its models may use any. */
function methodOf(model: string, classical: string | null): SeparationMethodName {
  if (isOwnModel(model)) return 'own';
  if (classical === null) return 'service';
  return model === classical ? 'classical' : 'neural';
}

/** What the opening plays of a song that is separated in parts; empty if that is nearly all of it. */
function openingRanges(opening: SongRanges | undefined, ranges: SongRanges | undefined): SongRanges {
  const pieces = (opening ?? []).map(([start_sec, end_sec]) => ({ start_sec, end_sec }));
  const left = ranges ? missingRanges(ranges, pieces) : [];
  return secondsOf(left.filter(([from, to]) => to - from > MIN_REST_SEC)) > 0 ? (opening ?? []) : [];
}

const secondsOf = (ranges: SongRanges): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);

/** Separates what the opening plays of the song, and then the rest, while the opening is rendered. Returns what both calls made. */
async function separateOpeningFirst(
  context: TaskContext,
  song: SongCard,
  separation: Separation,
  first: SongRanges,
): Promise<Separated[]> {
  const prefix = `${separation.prefix}/opening`;
  const all = separation.ranges ?? [];
  const share = Math.min(1, secondsOf(first) / Math.max(1, secondsOf(all)));
  const beginning = await separateSong(context, song, { ...separation, prefix, ranges: first }, [0, share]);
  const pieces = piecesOf(beginning.paths);
  // The service knows no ranges: this is the whole song.
  if (!pieces) return [beginning];
  const opening = startOpening(context, beginning.paths, beginning.model);
  try {
    const ranges = withSeams(missingRanges(all, pieces));
    const rest = await separateSong(context, song, { ...separation, ranges }, [share, 1]);
    await opening.finish();
    return [beginning, rest];
  } finally {
    opening.stop();
  }
}

/**
 * Returns stems of one model that hold what is wanted, with what the cache has. Another model may have taken over between two calls, or
 * after the song was looked up in the cache: then what it has not separated follows.
 * @throws TaskError transient `separation_changed` if the model changes again
 */
async function ofOneModel(
  context: TaskContext,
  song: SongCard,
  task: { separation: Separation; query: StemQuery | undefined; cached: CachedStems | undefined; made: Separated[] },
): Promise<{ paths: StoredStems; model: string }> {
  const { separation, query, cached, made } = task;
  const { model } = made.at(-1)!;
  const same = made.filter((one) => one.model === model);
  const whole = same.find(({ paths }) => piecesOf(paths) === undefined);
  if (whole) return whole;
  const pieces = same.flatMap(({ paths }) => piecesOf(paths) ?? []);
  if (same.length === made.length && (!cached || cached.model === model)) return { model, paths: inOrder(pieces) };

  const stored = query && (await findStems(context, { ...query, models: [separatorOf(model)] }));
  const wanted = query?.ranges ?? separation.ranges ?? [];
  const missing = rangesToSeparate(missingRanges(wanted, pieces), stored) ?? [];
  if (missing.length === 0) return { model, paths: inOrder(pieces) };
  const method = separatorOf(model) === context.claim.separation?.classical ? 'classical' : separation.method;
  const prefix = `${separation.prefix}/rest`;
  const parts = separation.parts + missing.length;
  const rest = await separateSong(context, song, { ...separation, prefix, parts, ranges: missing, method });
  if (rest.model !== model) throw changed();
  const more = piecesOf(rest.paths);
  return { model, paths: more ? inOrder([...pieces, ...more]) : rest.paths };
}

const inOrder = (pieces: StemPiece[]): StoredStems => ({ pieces: pieces.sort((a, b) => a.start_sec - b.start_sec) });

function changed(): TaskError {
  return new TaskError('The separation service changed its model while it separated a song.', {
    code: 'separation_changed',
    hint: 'It is retried automatically. If this lasts, check the log of the separation service.',
    faultClass: 'transient',
  });
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
