/**
 * The effects of a layer. Each works on two channels of a section and keeps their length; `context` says where in them
 * the section starts and ends and how long a beat is, so that everything in time is in beats.
 */
import type { Effect, EffectName } from '../../music/plan/effects.ts';
import { filterEffects } from './effects-filter.ts';
import { rhythmEffects } from './effects-rhythm.ts';
import { spaceEffects } from './effects-space.ts';

export type EffectContext = {
  sampleRate: number;
  beatSec: number;
  beatsPerBar: number;
  /** Samples of the section's start and end in the channels; before is the change into it, after are tails. */
  start: number;
  end: number;
};

/** Returns new channels or changes the given ones in place. `param` reads a parameter by its name in the grammar. */
export type EffectProcess = (
  channels: Float32Array[],
  context: EffectContext,
  param: (name: string) => number,
) => Float32Array[];

const PROCESSES: Record<EffectName, EffectProcess> = { ...filterEffects, ...spaceEffects, ...rhythmEffects };

/** Applies an effect with the parameters that the grammar read. */
export function applyEffect(channels: Float32Array[], effect: Effect, context: EffectContext): Float32Array[] {
  return PROCESSES[effect.name](channels, context, (name) => effect.params[name] ?? 0);
}
