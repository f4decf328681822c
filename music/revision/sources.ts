/** Which song a stem comes from, and the exchange of two songs. */
import type { AnalyzedSong, Plan, PlanLayer, Stem } from '../../schema.ts';
import { checkPlan } from '../plan/checks.ts';
import { singsAtAll, usableStems } from '../theory/content.ts';
import {
  isOf,
  mainSong,
  nameOf,
  quoteSong,
  withSections,
  type EditResult,
  type RevisionContext,
} from './plan-edits.ts';

type Source = { stem: Stem; song_id: string };

/** Why a song cannot give a stem; null if it can. */
function whyNot({ stem, song_id }: Source, songs: readonly AnalyzedSong[]): string | null {
  const song = songs.find((each) => each.song_id === song_id);
  if (!song) return 'This song is not in the mashup.';
  if (stem === 'vocals' && !singsAtAll(song)) return `Nobody sings in ${quoteSong(songs, song_id)}.`;
  return usableStems(song).includes(stem) ? null : `${quoteSong(songs, song_id)} has no ${nameOf({ stem }, songs)}.`;
}

/**
 * Takes a stem from one song only, in all sections that have it. If the other song then had nothing to play, the two songs
 * change their roles.
 */
export function takeFrom(plan: Plan, wish: Source, context: RevisionContext): EditResult {
  const reason = whyNot(wish, context.songs);
  if (reason !== null) return { cannot: reason };
  const change = `The ${nameOf({ stem: wish.stem }, context.songs)} ${wish.stem === 'bass' ? 'comes' : 'come'} from ${quoteSong(context.songs, wish.song_id)}.`;
  const plans = [onlySongsStem(plan, wish)];
  const current = mainSong(plan, wish.stem);
  if (current !== undefined && current !== wish.song_id)
    plans.push(onlySongsStem(exchange(plan, current, wish.song_id), wish));
  const usable = plans.find(
    (each) => hasStem(each, wish) && checkPlan(each, context.songs, context.limits).plan !== undefined,
  );
  const best = usable ?? plans.find((each) => hasStem(each, wish));
  return best ? { plan: best, change } : { cannot: `No section has ${nameOf({ stem: wish.stem }, context.songs)}.` };
}

const hasStem = (plan: Plan, wish: Source): boolean =>
  plan.masterplan.timeline.some((section) => section.layers.some((layer) => isOf(layer, wish)));

/** Takes a stem from one song in all sections that have it. */
function onlySongsStem(plan: Plan, { stem, song_id }: Source): Plan {
  return withSections(plan, (section) => {
    const others = section.layers.filter((layer) => layer.stem !== stem);
    const level = section.layers.find((layer) => layer.stem === stem);
    if (!level) return section;
    const own = section.layers.find((layer) => layer.stem === stem && layer.songId === song_id);
    const { source_start_sec: _, ...replaced } = {
      ...level,
      songId: song_id,
      why: `Asked for: ${nameOf({ stem }, [])} of this song only`,
    };
    const source = others.find((layer) => layer.songId === song_id)?.source_start_sec;
    const layer = own ?? (source === undefined ? replaced : { ...replaced, source_start_sec: source });
    return { ...section, layers: [layer, ...others] };
  });
}

/** Exchanges two songs in all layers. Where they start in each song is chosen anew by the renderer. */
function exchange(plan: Plan, first: string, second: string): Plan {
  const other = new Map([
    [first, second],
    [second, first],
  ]);
  const exchanged = (layer: PlanLayer): PlanLayer => {
    const songId = other.get(layer.songId);
    if (songId === undefined) return layer;
    const { source_start_sec: _, ...rest } = layer;
    return { ...rest, songId };
  };
  return withSections(plan, (section) => ({
    ...section,
    layers: section.layers.map(exchanged),
    ...(section.muted ? { muted: section.muted.map(exchanged) } : {}),
  }));
}

/** Lets the song that plays sing, and the song that sings play. */
export function swapSongs(plan: Plan, { songs }: RevisionContext): EditResult {
  const singer = mainSong(plan, 'vocals') ?? mainSong(plan, 'other');
  const player = mainSong(plan, 'drums') ?? songs.find((song) => song.song_id !== singer)?.song_id;
  const next = player === singer ? songs.find((song) => song.song_id !== singer)?.song_id : player;
  if (singer === undefined || next === undefined) return { cannot: 'There are no two songs to swap.' };
  for (const section of plan.masterplan.timeline)
    for (const layer of section.layers) {
      const song_id = layer.songId === singer ? next : layer.songId === next ? singer : layer.songId;
      const reason = whyNot({ stem: layer.stem, song_id }, songs);
      if (reason !== null) return { cannot: `The songs cannot be swapped: ${reason}` };
    }
  return {
    plan: exchange(plan, singer, next),
    change: `${quoteSong(songs, singer)} and ${quoteSong(songs, next)} have changed their roles.`,
  };
}
