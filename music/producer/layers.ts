/** Drafts of layers: song, stem, level and effects, before a part of the song is chosen. */
import type { AnalyzedSong, Stem } from '../../schema.ts';
import { contentOf, hasBeat, usableStems } from '../theory/content.ts';

/** A layer before its source position is chosen. */
export type LayerDraft = {
  song: AnalyzedSong;
  stem: Stem;
  volume_db: number;
  effects: string[];
  /** Plays at the song's own speed, without a beat. */
  free: boolean;
};

/** Returns the draft of a layer that is stretched to the tempo of its section. */
export const layer = (song: AnalyzedSong, stem: Stem, volume_db: number, ...effects: string[]): LayerDraft => ({
  song,
  stem,
  volume_db,
  effects,
  free: false,
});

/** Returns a draft that plays at the song's own speed. */
export const atOwnSpeed = (draft: LayerDraft): LayerDraft => ({ ...draft, free: true });

/** Effect of a song without a beat under the bass of another: its sound is one stem, deep notes included. */
const ABOVE_THE_BASS = 'highpass(freq=150)';

/**
 * Returns the layers that can be played: no stems that a song does not have, no second voice beside voices alone, and songs without a beat
 * at their own speed.
 */
export function playableLayers(layers: readonly LayerDraft[]): LayerDraft[] {
  const usable = layers.filter(({ song, stem }) => usableStems(song).includes(stem));
  const soloist = usable.find(({ song, stem }) => stem === 'vocals' && contentOf(song) === 'acapella')?.song;
  const hasBass = usable.some(({ stem }) => stem === 'bass');
  return usable
    .filter(({ song, stem }) => !soloist || stem !== 'vocals' || song === soloist)
    .map((each) => {
      if (hasBeat(each.song.analysis)) return each;
      const isDeep = hasBass && each.stem === 'other' && !each.effects.some((effect) => effect.startsWith('highpass'));
      return atOwnSpeed(isDeep ? { ...each, effects: [...each.effects, ABOVE_THE_BASS] } : each);
    });
}
