/** Standard accuracy metrics of music information retrieval. */
import type { StereoChunk } from '../audio/decode/decode.ts';
import { parseKey } from '../music/theory/keys.ts';

/** F-measure of estimated against true times in seconds, both increasing. Each is matched at most once, within 70 ms by default (MIREX). */
export function fMeasure(truth: readonly number[], estimate: readonly number[], toleranceSec = 0.07): number {
  let matched = 0;
  for (let i = 0, j = 0; i < truth.length && j < estimate.length;) {
    const distance = estimate[j]! - truth[i]!;
    if (Math.abs(distance) <= toleranceSec) {
      matched++;
      i++;
      j++;
    } else if (distance < 0) j++;
    else i++;
  }
  return (2 * matched) / Math.max(1, truth.length + estimate.length);
}

/** MIREX key score: 1 exact, 0.5 a fifth away, 0.3 relative, 0.2 parallel, else 0 (also for no key). */
export function keyScore(truth: string, estimate: string): number {
  const [a, b] = [parseKey(truth), parseKey(estimate)];
  if (!a || !b) return 0;
  const apart = (b.tonic - a.tonic + 12) % 12;
  if (a.mode === b.mode) return apart === 0 ? 1 : apart === 7 || apart === 5 ? 0.5 : 0;
  if (apart === (a.mode === 'minor' ? 3 : 9)) return 0.3;
  return apart === 0 ? 0.2 : 0;
}

/** Scale-invariant signal-to-distortion ratio, dB (Le Roux et al. 2019), over both channels. */
export function siSdr(truth: StereoChunk, estimate: StereoChunk): number {
  let [tt, te, ee] = [1e-20, 0, 0];
  for (const channel of [0, 1] as const) {
    const [a, b] = [truth[channel], estimate[channel]];
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      tt += a[i]! * a[i]!;
      te += a[i]! * b[i]!;
      ee += b[i]! * b[i]!;
    }
  }
  const target = (te * te) / tt;
  return 10 * Math.log10(target / Math.max(1e-20, ee - target));
}
