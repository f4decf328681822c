/** How much of a voice there is, from the tone features. */

/** Values of the raw feature that count as no voice and as a clear one. */
const SILENT_BELOW = 0.03;
const CLEAR_ABOVE = 0.12;
/** Stretches quieter than this energy have no voice worth the name. */
const MIN_ENERGY = 0.15;

/** Presence 0..1 from the raw feature and the energy at the same steps, smoothed over three steps. */
export function voicePresence(raw: readonly number[], energy: readonly number[]): number[] {
  const presence = raw.map((value, i) => {
    if ((energy[i] ?? 0) < MIN_ENERGY) return 0;
    return Math.max(0, Math.min(1, (value - SILENT_BELOW) / (CLEAR_ABOVE - SILENT_BELOW)));
  });
  return presence.map((value, i) => ((presence[i - 1] ?? value) + 2 * value + (presence[i + 1] ?? value)) / 4);
}
