/** The entry of what plays stems. Pages load it when a listener opens the mixer. */
import type { LoadPart } from '../playback/parts.ts';
import type { OpenStems } from '../playback/track.ts';
import { StemDeck } from './stem-deck.ts';
import { StemMix } from './stem-mix.ts';
import type { PlayableStems } from './stem-mix.ts';

export interface OpenMix {
  mix: StemMix;
  open: OpenStems;
}

/** A mix of stems, and the deck that plays it. @param load downloads a part of a stem */
export function openMix(stems: PlayableStems, load: LoadPart): OpenMix {
  const mix = new StemMix(stems);
  return { mix, open: (events) => new StemDeck(mix, load, events) };
}
