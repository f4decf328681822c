/** The interface between the effects and their callers. */

/** Position and tempo of the section that an effect is applied to. */
export type EffectContext = {
  sampleRate: number;
  beatSec: number;
  beatsPerBar: number;
  /**
   * Sample index of the section's start and end in the channels. Samples before `start` belong to the transition into the
   * section, those from `end` on to the tails of its effects.
   */
  start: number;
  end: number;
};

/**
 * Applies an effect to two equally long channels. Returns new channels of the same length, or the given ones changed in
 * place. `param` returns a parameter by its name in the effect grammar.
 */
export type EffectProcess = (
  channels: Float32Array[],
  context: EffectContext,
  param: (name: string) => number,
) => Float32Array[];
