/** Applies the effects of a layer by name. Durations of effects are in beats. */
import type { Effect, EffectName } from '../../music/plan/effects.ts';
import type { EffectContext, EffectProcess } from './effect-process.ts';
import { filterEffects } from './effects-filter.ts';
import { rhythmEffects } from './effects-rhythm.ts';
import { spaceEffects } from './effects-space.ts';

const PROCESSES: Record<EffectName, EffectProcess> = { ...filterEffects, ...spaceEffects, ...rhythmEffects };

/**
 * Applies `effect` to two channels with the parameters of the effect grammar; missing parameters are 0. Returns channels of the
 * same length. The given channels may be changed.
 */
export function applyEffect(channels: Float32Array[], effect: Effect, context: EffectContext): Float32Array[] {
  return PROCESSES[effect.name](channels, context, (name) => effect.params[name] ?? 0);
}
