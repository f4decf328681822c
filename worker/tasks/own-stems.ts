/** The stems that a user gave with a song. */
import { createHash } from 'node:crypto';
import { OWN_MODEL, OWN_STEMS } from '../../schema.ts';
import type { OwnStem, SeparateRequest, SongContent } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import { TaskError } from '../errors.ts';
import { missingInput, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';

/** Paths of the files. `hasSong`: the song was given too; otherwise it is their sum. */
export type GivenStems = { files: [OwnStem, string][]; hasSong: boolean };

/** Loads the stems that the user gave with a song; undefined if there are none. @throws TaskError `missing_input` */
export async function loadGivenStems({ db, claim }: TaskContext, song: SongCard): Promise<GivenStems | undefined> {
  if (song.own_stems_id === undefined) return undefined;
  const row = await db
    .selectFrom('mashup.own_stems')
    .select(['files', 'has_song'])
    .where('id', '=', String(song.own_stems_id))
    .where('user_id', '=', claim.user_id)
    .executeTakeFirst();
  if (!row) throw missingInput(`The stems that were given with ${song.name} are missing.`, 'Submit the songs again.');
  const files = OWN_STEMS.flatMap((stem): [OwnStem, string][] => {
    const path = row.files[stem];
    return path === undefined ? [] : [[stem, path]];
  });
  return { files, hasSong: row.has_song };
}

/** The files whose sum is the song. Drums, bass and other are parts of an instrumental. */
export function partsOfSong({ files }: GivenStems): string[] {
  const hasInstrumental = files.some(([stem]) => stem === 'instrumental');
  return files
    .filter(([stem]) => !hasInstrumental || stem === 'instrumental' || stem === 'vocals')
    .map(([, path]) => path);
}

/** What a song is that was given by its stems alone; undefined: what it sounds like. */
export function contentOfStems({ files, hasSong }: GivenStems): SongContent | undefined {
  if (hasSong) return undefined;
  const stems = files.map(([stem]) => stem);
  if (!stems.includes('vocals')) return 'instrumental';
  return stems.length === 1 ? 'acapella' : undefined;
}

/**
 * Returns the content hash of a song with stems: analyses and stems are cached by it.
 * @param hashes SHA-256 of each file, by the name of the stem, or `song`
 */
export const hashOfFiles = (hashes: readonly (readonly [name: string, hash: string])[]): string =>
  createHash('sha256').update(JSON.stringify(hashes)).digest('hex');

/** The member `own_stems` of a request to the separation service. */
export async function ownStemsRequest(
  context: TaskContext,
  song: SongCard,
): Promise<SeparateRequest['own_stems'] | undefined> {
  const given = await loadGivenStems(context, song);
  if (!given) return undefined;
  const urls = await context.storage.downloadUrls(
    given.files.map(([, path]) => path),
    urlSeconds(context.claim),
  );
  return { urls: Object.fromEntries(given.files.map(([stem], i) => [stem, urls[i]!])), has_song: given.hasSong };
}

/** Whether a model is that of stems that a user gave. */
export const isOwnModel = (model: string): boolean => model === OWN_MODEL || model.startsWith(`${OWN_MODEL}+`);

/** @throws TaskError if a service has separated a song as if no stems were given */
export function requireOwnModel(model: string): void {
  if (isOwnModel(model)) return;
  throw new TaskError('The separation service does not accept stems of one’s own.', {
    code: 'own_stems_unsupported',
    hint: 'Submit the songs without stems, or use the built-in separation service.',
    faultClass: 'permanent',
  });
}
