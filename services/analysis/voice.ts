/**
 * Voice presence: measures sound that is centred, tonal, and not repeated where the accompaniment is (after REPET-SIM, Rafii and Pardo
 * 2012). It does not detect singing: lead instruments count as well.
 */
import { TIMBRE_BANDS, TONE_RATE, VOICE_BANDS } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Search range of similar frames on each side, their number, and their minimum distance from each other. */
const SEARCH_SEC = 40;
const NEIGHBOURS = 10;
const MIN_DISTANCE_SEC = 0.8;
/** Frames between two measurements. The frames between have the value of the previous measurement. */
const STRIDE = 2;
/** Foreground shares of presence 0 and 1. */
const SILENT_BELOW = 0.015;
const CLEAR_ABOVE = 0.06;
/** Presence is 0 below this energy. */
const MIN_ENERGY = 0.15;
/** Steps on each side over which presence is smoothed. */
const SMOOTHING_STEPS = 1;

/** The frames within the search range that are most similar to `frame` in timbre. `scores` is scratch memory of one value per frame. */
function similarFrames(tone: ToneFeatures, frame: number, scores: Float32Array): number[] {
  const { timbre, frames } = tone;
  const reach = Math.round(SEARCH_SEC * TONE_RATE);
  const gap = Math.round(MIN_DISTANCE_SEC * TONE_RATE);
  const from = Math.max(0, frame - reach);
  const to = Math.min(frames, frame + reach + 1);
  const own = timbre.slice(frame * TIMBRE_BANDS, (frame + 1) * TIMBRE_BANDS);
  for (let other = from, row = from * TIMBRE_BANDS; other < to; other++, row += TIMBRE_BANDS) {
    // Four sums at a time, because each addition waits for the one before.
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let band = 0; band < TIMBRE_BANDS; band += 4) {
      a += own[band]! * timbre[row + band]!;
      b += own[band + 1]! * timbre[row + band + 1]!;
      c += own[band + 2]! * timbre[row + band + 2]!;
      d += own[band + 3]! * timbre[row + band + 3]!;
    }
    scores[other] = a + b + (c + d);
  }
  const block = (at: number): void => {
    scores.fill(-1, Math.max(from, at - gap), Math.min(to, at + gap + 1));
  };
  block(frame);
  const chosen: number[] = [];
  while (chosen.length < NEIGHBOURS) {
    let best = -1;
    let score = 0;
    for (let other = from; other < to; other++) {
      if (scores[other]! > score) {
        best = other;
        score = scores[other]!;
      }
    }
    if (best < 0) break;
    chosen.push(best);
    block(best);
  }
  return chosen;
}

/** For each frame the share (0..1) of the voice range's power that is centred, tonal and not repeated in similar frames. */
export function voiceForeground(tone: ToneFeatures): Float32Array {
  const { centre, frames, tonality, voicePower } = tone;
  const share = new Float32Array(frames);
  const scores = new Float32Array(frames);
  const values = new Float32Array(NEIGHBOURS);
  for (let frame = 0; frame < frames; frame += STRIDE) {
    const similar = similarFrames(tone, frame, scores);
    const count = similar.length;
    let foreground = 0;
    let all = 1e-9;
    for (let band = 0; band < VOICE_BANDS; band++) {
      const value = centre[frame * VOICE_BANDS + band]!;
      for (let k = 0; k < count; k++) {
        // Insertion sort: the fastest method for about ten values.
        const other = centre[similar[k]! * VOICE_BANDS + band]!;
        let at = k;
        for (; at > 0 && values[at - 1]! > other; at--) values[at] = values[at - 1]!;
        values[at] = other;
      }
      const rest = count > 0 ? value - values[count >> 1]! : 0;
      if (rest > 0) foreground += rest ** 2;
      all += value ** 2;
    }
    // Bands hold only their largest bin, so that `all` is less than the power of the range. The share is relative to `all`.
    const centred = Math.min(1, all / (voicePower[frame]! + 1e-9));
    share.fill(Math.min(1, (foreground / all) * centred * tonality[frame]!), frame, Math.min(frames, frame + STRIDE));
  }
  return share;
}

/** Voice presence (0..1) from foreground shares and energies of the same steps, smoothed. */
export function voicePresence(share: readonly number[], energy: readonly number[]): number[] {
  const presence = share.map((value, i) => {
    if ((energy[i] ?? 0) < MIN_ENERGY) return 0;
    return Math.max(0, Math.min(1, (value - SILENT_BELOW) / (CLEAR_ABOVE - SILENT_BELOW)));
  });
  return presence.map((_, i) => {
    const near = presence.slice(Math.max(0, i - SMOOTHING_STEPS), i + SMOOTHING_STEPS + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}
