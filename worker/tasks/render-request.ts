/** What the rendering service is asked for: the plan with its songs, and signed URLs of what it reads and writes. */
import { createHash } from 'node:crypto';
import { filesOf, filesOfStems } from '../../schema.ts';
import type { AnalyzedSong, Plan, PlanOpening, RenderRequest, Stem, StemUrls, StoredStems } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import { StemsGone, TaskError } from '../errors.ts';
import type { Claim } from '../database/database-api.ts';
import { activeSongs, missingInput, urlSeconds } from './context.ts';
import type { TaskContext } from './context.ts';
import { chooseOutput } from './output-file.ts';
import { partTargets } from './playable-parts.ts';
import { loadScores, loadSongs } from './task-inputs.ts';

/** Loads the current plan. @throws TaskError `missing_input` */
export async function loadPlan({ claim, db }: TaskContext): Promise<{ plan: Plan; opening: PlanOpening | null }> {
  const row =
    claim.plan_version === null
      ? undefined
      : await db
          .selectFrom('public.mashup_plans')
          .select(['plan', 'opening'])
          .where('job_id', '=', claim.job_id)
          .where('version', '=', claim.plan_version)
          .executeTakeFirst();
  if (!row) throw missingInput('The plan of this mashup is missing.', 'Replay the mashup from planning.');
  return row;
}

/** The songs that the plan uses, each with the stems that it uses. */
export type UsedStems = { card: SongCard; stems: Stem[] }[];

/** Returns the stems that a plan plays. */
export function usedStems(claim: Claim, plan: Plan): UsedStems {
  const used = new Map<string, Set<Stem>>();
  for (const layer of plan.masterplan.timeline.flatMap((section) => section.layers)) {
    // Always the drums of a song: the built-in renderer aligns its beat grid on them, even if they are not heard.
    const stems = used.get(layer.songId) ?? new Set<Stem>(['drums']);
    used.set(layer.songId, stems.add(layer.stem));
  }
  return activeSongs(claim)
    .filter((card) => used.has(card.song_id))
    .map((card) => ({ card, stems: [...(used.get(card.song_id) ?? [])] }));
}

/** Makes the request of a render, with signed URLs. @throws StemsGone, TaskError */
export async function buildRequest(
  context: TaskContext,
  plan: Plan,
  used: UsedStems,
  sources: StemSources,
  prefix: string,
): Promise<RenderRequest> {
  const [sound, output, parts] = await Promise.all([
    describeSound(context, plan, used, sources),
    chooseOutput(context, plan, prefix),
    partTargets(context, plan, prefix),
  ]);
  const { title, artistCredits } = plan.masterplan;
  return {
    ...sound,
    masterplan: { ...sound.masterplan, title, artistCredits },
    job_id: prefix.replace(/^generated\//, ''),
    ...output,
    parts,
  };
}

/** Returns the members of a request that the sound depends on. @throws StemsGone, TaskError */
export async function describeSound(
  context: TaskContext,
  plan: Plan,
  used: UsedStems,
  sources: StemSources,
): Promise<Pick<RenderRequest, 'masterplan' | 'songs' | 'scores'>> {
  const { timeline, global } = plan.masterplan;
  const [analyzed, signed, scores] = await Promise.all([
    loadSongs(context),
    signStems(context, used, sources),
    loadScores(context),
  ]);
  return { masterplan: { timeline, global_settings: global }, songs: describeSongs(used, analyzed, signed), scores };
}

/** Describes songs with their analyses and stems, for the rendering service. */
export function describeSongs(
  used: UsedStems,
  analyzed: readonly AnalyzedSong[],
  signed: readonly SignedStems[],
): RenderRequest['songs'] {
  return used.map(({ card }, index) => ({
    song_id: card.song_id,
    storage_path: card.path,
    name: card.name,
    artist: card.artist,
    analysis: analyzed.find((song) => song.song_id === card.song_id)?.analysis ?? {},
    stems: signed[index] ?? {},
  }));
}

type SignedStems = NonNullable<RenderRequest['songs'][number]['stems']>;

/** The paths of the stems of each song, by song; without those that the cache no longer has. */
export type StemSources = Record<string, StoredStems>;

/** Loads the paths of the stems of each song. @throws TaskError `missing_input` */
export async function loadSources(context: TaskContext, used: UsedStems): Promise<StemSources> {
  const loaded = await Promise.all(
    used.map(async ({ card }) => [card.song_id, await loadStemPaths(context, card)] as const),
  );
  return Object.fromEntries(loaded.flatMap(([id, paths]) => (paths ? [[id, paths]] : [])));
}

/** Signs the stems of each song. @throws StemsGone that names every song whose stems are not there */
async function signStems(context: TaskContext, used: UsedStems, sources: StemSources): Promise<SignedStems[]> {
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
  const found = await Promise.all(
    used.map(async ({ card, stems }) => {
      const paths = await loadStemPaths(context, card);
      if (!paths) return false;
      const files = filesOfStems(paths, stems);
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

/** Returns the paths of a song's stems; undefined if the cache no longer has them. */
async function loadStemPaths({ claim, db }: TaskContext, card: SongCard): Promise<StoredStems | undefined> {
  if (card.stems_id === undefined)
    throw missingInput(`The stems of ${card.name} are missing.`, 'Replay the mashup from separating.');
  const row = await db
    .selectFrom('mashup.stems')
    .select('paths')
    .where('id', '=', String(card.stems_id))
    .where('user_id', '=', claim.user_id)
    .executeTakeFirst();
  return row?.paths;
}
/**
 * Returns which opening a plan has. Its key follows from the user, and from what is heard in it: so the render of all of the mashup, and
 * iterations with the same beginning, find what was rendered of it.
 */
export function openingOf({ user_id, songs }: Claim, { masterplan }: Plan, sections: number): RenderRequest['opening'] {
  const { timeline, global } = masterplan;
  const first = timeline.slice(0, sections);
  const heard = new Set(first.flatMap(({ layers }) => layers.map(({ songId }) => songId)));
  const contents = songs
    .filter(({ song_id: id }) => heard.has(id))
    .map((card) => [card.song_id, card.hash, card.analysis_id]);
  const key = createHash('sha256')
    .update(JSON.stringify([user_id, contents, global, first]))
    .digest('hex');
  return { key, sections };
}
