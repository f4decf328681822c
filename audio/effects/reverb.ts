/** Reverberation: parallel combs and serial all-passes for each channel (after J. Dattorro's and Jezar's public-domain designs). */

/** Delays in samples at 44.1 kHz, mutually prime so that echoes do not coincide. */
const COMBS = [1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617];
const ALL_PASSES = [556, 441, 341, 225];
/** Additional delay of the right channel, which widens the stereo image. */
const SPREAD = 23;
const DAMPING = 0.35;
const INPUT_GAIN = 0.03;

/**
 * Returns the reverberation of two channels without the dry sound, of the same length.
 * @param decaySec time in which an echo falls by 60 dB
 */
export function reverberate(channels: readonly Float32Array[], sampleRate: number, decaySec: number): Float32Array[] {
  const left = channels[0]!;
  const right = channels[1] ?? left;
  const input = left.map((x, i) => (x + right[i]!) * INPUT_GAIN);
  return [0, SPREAD].map((spread) => {
    const out = new Float32Array(input.length);
    for (const base of COMBS) addComb(input, out, scale(base + spread, sampleRate), decaySec * sampleRate);
    for (const base of ALL_PASSES) allPass(out, scale(base + spread, sampleRate));
    return out;
  });
}

const scale = (samples: number, sampleRate: number): number => Math.max(1, Math.round((samples * sampleRate) / 44_100));

function addComb(input: Float32Array, out: Float32Array, delay: number, decay: number): void {
  const feedback = 10 ** ((-3 * delay) / decay);
  const line = new Float32Array(delay);
  let damped = 0;
  let at = 0;
  for (let i = 0; i < input.length; i++) {
    const echo = line[at]!;
    out[i]! += echo;
    damped = echo * (1 - DAMPING) + damped * DAMPING + 1e-20;
    line[at] = input[i]! + damped * feedback;
    if (++at === delay) at = 0;
  }
}

function allPass(samples: Float32Array, delay: number): void {
  const line = new Float32Array(delay);
  let at = 0;
  for (let i = 0; i < samples.length; i++) {
    const echo = line[at]!;
    const x = samples[i]!;
    samples[i] = echo - x;
    line[at] = x + echo * 0.5;
    if (++at === delay) at = 0;
  }
}
