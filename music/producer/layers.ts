/** Drafts of layers: song, stem, level and effects, before a part of the song is chosen. */
import type { AnalyzedSong, Stem } from '../../schema.ts';

/** A layer before its source position is chosen. */
export type LayerDraft = {
  song: AnalyzedSong;
  stem: Stem;
  volume_db: number;
  effects: string[];
  why: string;
  /** Plays at the song's own speed, without a beat. */
  free: boolean;
};
/** A section before its source positions are chosen. */
export type SectionDraft = { description: string; layers: LayerDraft[] };

/** Returns the draft of a layer that is stretched to the tempo of its section. */
export const layer = (
  song: AnalyzedSong,
  stem: Stem,
  volume_db: number,
  why: string,
  ...effects: string[]
): LayerDraft => ({
  song,
  stem,
  volume_db,
  effects,
  why,
  free: false,
});

/** Returns a draft that plays at the song's own speed. */
export const atOwnSpeed = (draft: LayerDraft): LayerDraft => ({ ...draft, free: true });
