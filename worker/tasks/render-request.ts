/** What the rendering service is asked for: the plan with its songs, and signed URLs of what it reads and writes. */
import { createHash } from 'node:crypto';
import type { AnalyzedSong, Plan, RenderRequest, Stem } from '../../schema.ts';
import type { Selectable } from 'kysely';
import type { MashupPlansTable } from '../../schema/database.ts';
import type { Claim } from '../database/database-api.ts';
import { activeSongs, missingInput } from './context.ts';
import type { TaskContext } from './context.ts';
import { chooseOutput } from './output-file.ts';
import { partTargets } from './playable-parts.ts';
import { signStems } from './stored-stems.ts';
import type { SignedStems, StemSources, UsedStems } from './stored-stems.ts';
import { loadScores, loadSongs } from './task-inputs.ts';

/** A plan as it is stored, with what its texts depend on. */
export type StoredPlan = Pick<Selectable<MashupPlansTable>, 'plan' | 'opening' | 'source' | 'wording' | 'wishes'>;

/** Loads the current plan. @throws TaskError `missing_input` */
export async function loadPlan({ claim, db }: TaskContext): Promise<StoredPlan> {
  const row =
    claim.plan_version === null
      ? undefined
      : await db
          .selectFrom('public.mashup_plans')
          .select(['plan', 'opening', 'source', 'wording', 'wishes'])
          .where('job_id', '=', claim.job_id)
          .where('version', '=', claim.plan_version)
          .executeTakeFirst();
  if (!row) throw missingInput('The plan of this mashup is missing.', 'Replay the mashup from planning.');
  return row;
}

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
  { used, sources, prefix }: { used: UsedStems; sources: StemSources; prefix: string },
): Promise<RenderRequest> {
  const [sound, output, parts] = await Promise.all([
    describeSound(context, plan, used, sources),
    chooseOutput(context, plan, prefix),
    context.claim.is_studio ? undefined : partTargets(context, plan, prefix),
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

/**
 * Returns which opening a plan has. Its key follows from the user, and from what is heard in it: so the render of all of the mashup, and
 * iterations with the same beginning, find what was rendered of it.
 * @param models of the stems, by song id
 */
export function openingOf(
  { user_id, songs }: Claim,
  { masterplan }: Plan,
  sections: number,
  models: Readonly<Record<string, string>>,
): RenderRequest['opening'] {
  const { timeline, global } = masterplan;
  const first = timeline.slice(0, sections);
  const heard = new Set(first.flatMap(({ layers }) => layers.map(({ songId }) => songId)));
  const contents = songs
    .filter(({ song_id: id }) => heard.has(id))
    .map((card) => [card.song_id, card.hash, card.analysis_id, models[card.song_id]]);
  const key = createHash('sha256')
    .update(JSON.stringify([user_id, contents, global, first]))
    .digest('hex');
  return { key, sections };
}
