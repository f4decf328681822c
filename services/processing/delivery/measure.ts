/** Measures what is delivered. */
import { decodeAudio } from '../../../audio/decode/decode.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { type FileMeasurement, measureFile } from '../measure/file.ts';
import type { Channels } from '../sound/slice.ts';

const WAVEFORM_PEAKS_PER_SEC = 10;

/**
 * `sound` is an MP3 file, or the samples of a file without losses: they are known without decoding it. `splices` are seconds at which
 * sections or loops are joined.
 */
export type MeasureTask = { sound: Uint8Array | Channels; splices: readonly number[] };

export type DeliveryMeasurement = FileMeasurement & { waveform: { peaks_per_sec: number; peaks: number[] } };

/** Measures a file that is delivered. */
export async function measureDelivery({ sound, splices }: MeasureTask): Promise<DeliveryMeasurement> {
  const channels =
    sound instanceof Uint8Array
      ? (await decodeAudio(sound, { limits: { minSec: 0, maxBytes: sound.length } })).channels
      : sound;
  return { ...measureFile(channels, SAMPLE_RATE, splices), waveform: waveform(channels) };
}

/** Peaks 0..1 of the mashup for display, rounded to thousandths. */
function waveform(channels: Channels): DeliveryMeasurement['waveform'] {
  const width = SAMPLE_RATE / WAVEFORM_PEAKS_PER_SEC;
  const peaks = Array.from({ length: Math.ceil(channels[0].length / width) }, (_, k) => {
    let peak = 0;
    const end = Math.min(channels[0].length, (k + 1) * width);
    for (const samples of channels) for (let i = k * width; i < end; i++) peak = Math.max(peak, Math.abs(samples[i]!));
    return Math.min(1, Math.round(peak * 1000) / 1000);
  });
  return { peaks_per_sec: WAVEFORM_PEAKS_PER_SEC, peaks };
}
