/** The stems that the cache has of a song. */
import { filesOfStems, missingRanges, OWN_MODEL, piecesOf, SEAM_SEC, STEMS } from '../../schema.ts';
import type { SongRanges, StemLayout, StoredStems } from '../../schema.ts';
import type { TaskContext } from './context.ts';
import { FOUR_STEMS } from './stem-layout.ts';

/** A WAV without samples is 44 bytes long. */
const MIN_STEM_BYTES = 45;

/** Stems of the cache. `isLost`: files of them do not exist. */
export type CachedStems = { id: string; model: string; paths: StoredStems; isLost: boolean };

/** Which stems are looked for. */
export type StemQuery = {
  /** SHA-256 of the song's bytes. */
  hash: string;
  layout: StemLayout | undefined;
  /** The models whose stems are used; null: the newest of any model. Stems that the user gave all are used in any case. */
  models: readonly string[] | null;
  /** What is needed of the song; undefined: all of it. */
  ranges: SongRanges | undefined;
};

/**
 * Finds stems of the owner in the cache: the user's own, otherwise of the first model of which nothing is missing, otherwise of the last
 * one, which the service is going to use.
 */
export async function findStems(context: TaskContext, query: StemQuery): Promise<CachedStems | undefined> {
  const { hash, layout = FOUR_STEMS, models, ranges } = query;
  const rows = await context.db
    .selectFrom('mashup.stems')
    .select(['id', 'model', 'paths'])
    .where('user_id', '=', context.claim.user_id)
    .where('content_hash', '=', hash)
    .where('layout', '=', layout)
    .orderBy('id', 'desc')
    .execute();
  const own = rows.find(({ model }) => model === OWN_MODEL);
  const wanted = models
    ? models.flatMap((model) => rows.filter((row) => separatorOf(row.model) === model))
    : rows.slice(0, 1);
  const candidates = own ? [own, ...wanted] : wanted;
  for (const row of candidates) {
    const stems = { ...row, isLost: (await findMissing(context, row.paths)) !== undefined };
    const isLast = row === candidates.at(-1) && (models === null || separatorOf(row.model) === models.at(-1));
    if (isLast || rangesToSeparate(ranges, stems)?.length === 0) return stems;
  }
  return undefined;
}

/** What has separated a song whose stems have a model: of `own+dsp-4`, of which the user gave some of the stems, `dsp-4`. */
export const separatorOf = (model: string): string =>
  model.startsWith(`${OWN_MODEL}+`) ? model.slice(OWN_MODEL.length + 1) : model;

/** Returns what is to be separated: undefined for the whole song, empty if the cache has it. */
export function rangesToSeparate(
  wanted: SongRanges | undefined,
  cached: CachedStems | undefined,
): SongRanges | undefined {
  if (!cached || cached.isLost) return wanted;
  const pieces = piecesOf(cached.paths);
  if (!pieces) return [];
  return wanted && withSeams(missingRanges(wanted, pieces));
}

/** Returns ranges that overlap with the pieces beside them. */
export const withSeams = (ranges: SongRanges): SongRanges =>
  ranges.map(([from, to]) => [Math.max(0, from - SEAM_SEC), to + SEAM_SEC]);

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Returns the first stem of which a file is missing or has no samples. */
export async function findMissing({ storage }: TaskContext, paths: StoredStems): Promise<string | undefined> {
  // The files of a separation are in one folder, so that one listing finds all of them.
  const folders = new Set(filesOfStems(paths, STEMS).map(folderOf));
  const objects = (await Promise.all([...folders].map((folder) => storage.statAll(folder)))).flat();
  const found = new Set(objects.filter(({ bytes }) => bytes >= MIN_STEM_BYTES).map(({ path }) => path));
  return STEMS.find((stem) => !filesOfStems(paths, [stem]).every((path) => found.has(path)));
}
