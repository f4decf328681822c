/** Level envelopes, and dynamics processing that follows them. */

/** Samples between two values of an envelope. */
const ENVELOPE_STEP = 64;

const EXPAND_ATTACK_SEC = 0.005;
/** Decibels of attenuation for each decibel below the threshold. */
const EXPAND_SLOPE = 1.5;
const DUCK_ATTACK_SEC = 0.02;
/** Level of the trigger over the threshold at which the full depth is applied. */
const DUCK_KNEE_DB = 12;

/**
 * RMS level of all channels (linear, 1 is full scale), one value for each `ENVELOPE_STEP` samples, smoothed with separate attack
 * and release times.
 */
export function envelope(
  channels: readonly Float32Array[],
  sampleRate: number,
  attackSec: number,
  releaseSec: number,
): Float32Array {
  const length = channels[0]?.length ?? 0;
  const result = new Float32Array(Math.ceil(length / ENVELOPE_STEP));
  const rise = 1 - Math.exp(-ENVELOPE_STEP / (attackSec * sampleRate));
  const fall = 1 - Math.exp(-ENVELOPE_STEP / (releaseSec * sampleRate));
  let power = 0;
  for (let step = 0; step < result.length; step++) {
    const end = Math.min(length, (step + 1) * ENVELOPE_STEP);
    let sum = 0;
    for (const samples of channels) for (let i = step * ENVELOPE_STEP; i < end; i++) sum += samples[i]! * samples[i]!;
    const now = sum / (ENVELOPE_STEP * channels.length);
    power += (now - power) * (now > power ? rise : fall);
    result[step] = Math.sqrt(power);
  }
  return result;
}

/** Multiplies channels in place by one gain for each `ENVELOPE_STEP` samples, interpolated linearly. */
function applyGains(channels: readonly Float32Array[], gains: Float32Array): void {
  for (const samples of channels) {
    for (let step = 0; step < gains.length; step++) {
      const gain = gains[step]!;
      const slope = ((gains[step + 1] ?? gain) - gain) / ENVELOPE_STEP;
      const start = step * ENVELOPE_STEP;
      const end = Math.min(samples.length, start + ENVELOPE_STEP);
      for (let i = start; i < end; i++) samples[i]! *= gain + slope * (i - start);
    }
  }
}

/**
 * Downward expander: attenuates parts below `thresholdDb` (RMS dBFS) by up to `rangeDb`, in place. Removes the residue of other
 * stems between the phrases of a separated stem.
 */
export function expand(
  channels: readonly Float32Array[],
  sampleRate: number,
  options: { thresholdDb: number; rangeDb: number; releaseSec: number },
): void {
  const gains = envelope(channels, sampleRate, EXPAND_ATTACK_SEC, options.releaseSec).map((level) => {
    const below = options.thresholdDb - 20 * Math.log10(level + 1e-9);
    return 10 ** (-Math.min(options.rangeDb, Math.max(0, below * EXPAND_SLOPE)) / 20);
  });
  applyGains(channels, gains);
}

/** Lowers `channels` by up to `depthDb` while the level of `trigger` exceeds `thresholdDb` (RMS dBFS), in place. */
export function duck(
  channels: readonly Float32Array[],
  trigger: readonly Float32Array[],
  sampleRate: number,
  options: { depthDb: number; thresholdDb: number; releaseSec: number },
): void {
  const gains = envelope(trigger, sampleRate, DUCK_ATTACK_SEC, options.releaseSec).map((level) => {
    const over = 20 * Math.log10(level + 1e-9) - options.thresholdDb;
    return 10 ** ((-options.depthDb * Math.min(1, Math.max(0, over / DUCK_KNEE_DB))) / 20);
  });
  applyGains(channels, gains);
}
