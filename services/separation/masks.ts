/** Soft masks of the four stems for one block; at every point of the plane they sum to one. */
import type { Stem } from '../../schema.ts';
import type { Spectrogram } from '../audio/stft.ts';
import { medianOverFrequency, medianOverTime } from './median.ts';
import { repeatingBackground } from './repet.ts';

/** Half lengths of the medians (Fitzgerald 2010), in frames and in bins. */
const HARMONIC_REACH = 8;
const PERCUSSIVE_REACH = 8;
/** Below the first frequency low centre sound is bass, above the second none is; between them the share falls. */
const BASS_FULL_HZ = 250;
const BASS_END_HZ = 500;
/** A singing voice is heard from the first frequency on and in full above the second. */
const VOICE_START_HZ = 130;
const VOICE_FULL_HZ = 290;
const TINY = 1e-12;

/** 0 below `from`, 1 above `to`, a raised cosine between. */
function ramp(value: number, from: number, to: number): number {
  if (value <= from) return 0;
  if (value >= to) return 1;
  return 0.5 - 0.5 * Math.cos((Math.PI * (value - from)) / (to - from));
}

/** Magnitude over both channels, and how centred each point is: 1 for equal channels, 0 for unrelated or opposite ones. */
function stereoPlanes(left: Spectrogram, right: Spectrogram): { magnitude: Float32Array; centre: Float32Array } {
  const magnitude = new Float32Array(left.re.length);
  const centre = new Float32Array(left.re.length);
  for (let i = 0; i < magnitude.length; i++) {
    const power = left.re[i]! ** 2 + left.im[i]! ** 2 + right.re[i]! ** 2 + right.im[i]! ** 2;
    const common = 2 * (left.re[i]! * right.re[i]! + left.im[i]! * right.im[i]!);
    magnitude[i] = Math.sqrt(power);
    centre[i] = Math.max(0, common / (power + TINY));
  }
  return { magnitude, centre };
}

/**
 * Masks of a stereo block: median filtering splits what is broad and short (drums) from what lasts, centre sound
 * that does not repeat is the voice, low centre sound that does is bass, the rest is other.
 */
export function stemMasks(
  left: Spectrogram,
  right: Spectrogram,
  binHz: number,
  frameSec: number,
): Record<Stem, Float32Array> {
  const { frames, bins } = left;
  const { magnitude, centre } = stereoPlanes(left, right);
  const lasting = medianOverTime(magnitude, frames, bins, HARMONIC_REACH);
  const broad = medianOverFrequency(magnitude, frames, bins, PERCUSSIVE_REACH);
  const background = repeatingBackground(magnitude, frames, bins, binHz, frameSec);
  const make = (): Float32Array => new Float32Array(magnitude.length);
  const masks = { vocals: make(), drums: make(), bass: make(), other: make() };
  for (let bin = 0; bin < bins; bin++) {
    const hertz = bin * binHz;
    const bassShare = 1 - ramp(hertz, BASS_FULL_HZ, BASS_END_HZ);
    const voiceShare = ramp(hertz, VOICE_START_HZ, VOICE_FULL_HZ);
    for (let frame = 0; frame < frames; frame++) {
      const i = frame * bins + bin;
      const lastingPower = lasting[i]! ** 2;
      const broadPower = broad[i]! ** 2;
      const drums = broadPower / (lastingPower + broadPower + TINY);
      const tonal = 1 - drums;
      const centred = centre[i]! ** 2;
      const repeating = background[i]! ** 2;
      const foreground = Math.max(0, magnitude[i]! - background[i]!) ** 2;
      const vocals = tonal * voiceShare * centred * (foreground / (foreground + repeating + TINY));
      // The voice goes first: what is low and centred and returns is bass, well above its fundamental.
      const bass = (tonal - vocals) * bassShare * centred;
      masks.drums[i] = drums;
      masks.bass[i] = bass;
      masks.vocals[i] = vocals;
      masks.other[i] = Math.max(0, 1 - drums - bass - vocals);
    }
  }
  return masks;
}
