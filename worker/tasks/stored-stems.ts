/** Stems of the cache that a render reads, and their signed URLs. */
import { filesOf, filesOfStems } from '../../schema.ts';
import type { RenderRequest, Stem, StemUrls, StoredStems } from '../../schema.ts';
import type { Separations, SeparationMethodName, SongCard } from '../../schema/database.ts';
import { StemsGone, TaskError } from '../errors.ts';
import { missingInput, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';

/** The songs that the plan uses, each with the stems that it uses. */
export type UsedStems = { card: SongCard; stems: Stem[] }[];

/** Stems of a song in the cache, and what separated it. */
type StoredSong = { paths: StoredStems; model: string; method: SeparationMethodName };

/** Stems in the cache, by song id. A song whose stems the cache no longer has is not there. */
export type StoredSongs = ReadonlyMap<string, StoredSong>;

/** Loads the stems of songs. @throws TaskError `missing_input` if a song was not separated */
export async function loadStems({ claim, db }: TaskContext, used: UsedStems): Promise<StoredSongs> {
  for (const { card } of used)
    if (card.stems_id === undefined)
      throw missingInput(`The stems of ${card.name} are missing.`, 'Replay the mashup from separating.');
  const rows = await db
    .selectFrom('mashup.stems')
    .select(['id', 'paths', 'model', 'method'])
    .where(
      'id',
      'in',
      used.map(({ card }) => String(card.stems_id)),
    )
    .where('user_id', '=', claim.user_id)
    .execute();
  return new Map(
    used.flatMap(({ card }) => {
      const row = rows.find(({ id }) => Number(id) === card.stems_id);
      return row ? [[card.song_id, row]] : [];
    }),
  );
}

/** The files of each song's stems, by song id; without those that the cache no longer has. */
export type StemSources = Readonly<Record<string, StoredStems>>;

/** Returns the files of each song's stems. */
export function sourcesOf(stored: StoredSongs): StemSources {
  return Object.fromEntries([...stored].map(([song, { paths }]) => [song, paths]));
}

/** Returns what separated each song. */
export function separationsOf(stored: StoredSongs): Separations {
  return Object.fromEntries([...stored].map(([song, { model, method }]) => [song, { model, method }]));
}

/** Returns the model of each song's stems. */
export function modelsOf(stored: StoredSongs): Record<string, string> {
  return Object.fromEntries([...stored].map(([song, { model }]) => [song, model]));
}

export type SignedStems = NonNullable<RenderRequest['songs'][number]['stems']>;

/** Signs the stems of each song. @throws StemsGone that names every song whose stems are not there */
export async function signStems(context: TaskContext, used: UsedStems, sources: StemSources): Promise<SignedStems[]> {
  const signed = await Promise.all(
    used.map(async ({ card, stems }) => {
      const paths = sources[card.song_id];
      if (!paths) return undefined;
      try {
        return await signFiles(context, stems, paths);
      } catch (error) {
        if (error instanceof TaskError && error.code === 'upload_missing') return undefined;
        throw error;
      }
    }),
  );
  requireStems(used, signed.map(Boolean));
  return signed.map((urls) => urls ?? {});
}

/** Signs all files of the stems in one call. Stems of one file get a URL, stems in parts a list, and stems in pieces one of pieces. */
export async function signFiles(
  { claim, storage }: TaskContext,
  stems: Stem[],
  paths: StoredStems,
): Promise<SignedStems> {
  const files = filesOfStems(paths, stems);
  const urls = await storage.downloadUrls(files, urlSeconds(claim));
  const urlOf = (path: string): string => urls[files.indexOf(path)]!;
  return Object.fromEntries(
    stems.map((stem): [Stem, StemUrls] => {
      if ('pieces' in paths)
        return [
          stem,
          paths.pieces.map((piece) => {
            return { start_sec: piece.start_sec, end_sec: piece.end_sec, urls: filesOf(piece[stem]).map(urlOf) };
          }),
        ];
      const path = paths[stem];
      return [stem, typeof path === 'string' ? urlOf(path) : path.map(urlOf)];
    }),
  );
}

/** After a failed render: checks that the files of the stems can be read. @throws StemsGone if one cannot */
export async function requireFiles(context: TaskContext, used: UsedStems): Promise<void> {
  const stored = await loadStems(context, used);
  const found = await Promise.all(
    used.map(async ({ card, stems }) => {
      const song = stored.get(card.song_id);
      if (!song) return false;
      const files = filesOfStems(song.paths, stems);
      return (await context.storage.findMissing(files, context.signal)).length === 0;
    }),
  );
  requireStems(used, found);
}

function requireStems(used: UsedStems, isThere: boolean[]): void {
  const gone = used.filter((_one, index) => isThere[index] !== true).map(({ card }) => card);
  if (gone.length === 0) return;
  throw new StemsGone(
    gone.flatMap(({ stems_id: id }) => (id === undefined ? [] : [id])),
    gone.map(({ name }) => name),
  );
}
