/**
 * The stems of a mashup: the layers of one stem of one song, mixed and mastered as in the mashup. The steps after the layers are linear
 * with one gain for both channels at each sample, so the stems sum to the mashup.
 */
import { decodeAudio } from '../../../audio/decode/decode.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { encodeFlac } from '../../../audio/encode/encode-flac.ts';
import { readRegion, type ScratchRegion, writeRegion } from '../files/scratch.ts';
import type { Channels } from '../sound/slice.ts';
import { addSound, cleanMix } from './mix.ts';

/** Samples that are compared at a time. */
const BLOCK = 1 << 16;
/** Residual of a mashup that equals the sum of its stems, in dB. */
const LEAST_RESIDUAL_DB = -120;

/** `offset` is the sample of the mashup at which a layer begins. `gains` are those of mastering, `into` has their length. */
export type BusTask = {
  layers: readonly { offset: number; region: ScratchRegion }[];
  gains: Float32Array<SharedArrayBuffer>;
  into: ScratchRegion;
};

export type BusResult = { peak: number };

/** Mixes the layers of a stem into its region, as loud as in the mashup. Returns its largest sample. */
export function mixBus({ layers, gains, into }: BusTask): BusResult {
  const mix: Channels = [new Float32Array(gains.length), new Float32Array(gains.length)];
  for (const { offset, region } of layers) addSound(mix, { offset, channels: readRegion(region, 0, region.frames) });
  cleanMix(mix);
  let peak = 0;
  for (const samples of mix) {
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i]! * gains[i]!;
      samples[i] = sample;
      if (Math.abs(sample) > peak) peak = Math.abs(sample);
    }
  }
  writeRegion(into, mix);
  return { peak };
}

/** Samples `from..to` of a stem; `level` is a factor. */
export type BusPartTask = { region: ScratchRegion; from: number; to: number; level: number };

/** Encodes a part of a stem as FLAC. */
export function encodeBusPart({ region, from, to, level }: BusPartTask): Promise<Uint8Array<ArrayBuffer>> {
  const channels = readRegion(region, from, to);
  if (level !== 1) for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= level;
  return encodeFlac(channels, SAMPLE_RATE, {});
}

/** The file of a mashup, and its stems as they are encoded: multiplied by `level` and rounded to 16 bits. */
export type ResidualTask = { mashup: Uint8Array; stems: readonly ScratchRegion[]; level: number };

/**
 * Returns the level of the difference of a mashup and the sum of its stems against the mashup, in dB.
 * @throws AudioError if the file cannot be decoded
 */
export async function measureResidual({ mashup, stems, level }: ResidualTask): Promise<number> {
  const { channels } = await decodeAudio(mashup, { limits: { minSec: 0, maxBytes: mashup.length } });
  const [left] = channels;
  const right = channels[1] ?? left!;
  const frames = left!.length;
  let mashupEnergy = 0;
  let differenceEnergy = 0;
  for (let from = 0; from < frames; from += BLOCK) {
    const to = Math.min(frames, from + BLOCK);
    const sums: Channels = [new Float32Array(to - from), new Float32Array(to - from)];
    for (const region of stems) addRounded(sums, readRegion(region, from, Math.min(to, region.frames)), level);
    for (const [c, samples] of [left!, right].entries()) {
      for (let i = from; i < to; i++) {
        mashupEnergy += samples[i]! ** 2;
        differenceEnergy += (samples[i]! - sums[c]![i - from]!) ** 2;
      }
    }
  }
  const ratio = differenceEnergy / Math.max(mashupEnergy, Number.MIN_VALUE);
  return Math.max(LEAST_RESIDUAL_DB, 10 * Math.log10(ratio));
}

/** Adds samples as they are in a file of 16 bits. */
function addRounded(sums: Channels, channels: Channels, level: number): void {
  const scale = level * 32_768;
  for (const [c, samples] of channels.entries()) {
    const sum = sums[c]!;
    for (let i = 0; i < samples.length; i++) sum[i]! += Math.round(samples[i]! * scale) / scale;
  }
}
