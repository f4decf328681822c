/** Peaks of a part for the waveform, decoded by the browser beside the page's own work. */
import type { PlayableAudio } from '@mashup-engine/client';
import { decodeChannels } from '../decode.ts';
import type { Part } from './parts.ts';

/** Values for a second of sound. */
const PEAKS_PER_SEC = 4;

/** Peaks of a part, 0..1, with their place among the peaks of the whole mashup. */
interface PartPeaks {
  from: number;
  values: number[];
}

/** Decodes a part and measures it. @throws DOMException if the browser cannot decode it */
async function measurePeaks(part: Part): Promise<PartPeaks> {
  const channels = await decodeChannels(part.file.slice().buffer);
  const step = part.stream.sampleRate / PEAKS_PER_SEC;
  const from = Math.floor(part.from / step);
  const values = Array.from({ length: Math.ceil(part.to / step) - from }, (_, i) => {
    let top = 0;
    const start = Math.max(0, Math.round((from + i) * step) - part.from);
    const end = Math.min(part.to - part.from, Math.round((from + i + 1) * step) - part.from);
    for (const samples of channels)
      for (let at = start; at < end; at++) top = Math.max(top, Math.abs(samples[at] ?? 0));
    return top;
  });
  return { from, values };
}

/** Peaks of the whole mashup with those of a part in their place; 0 where nothing has come. */
function withPeaks(peaks: readonly number[], { from, values }: PartPeaks, totalSec: number): number[] {
  const all = Array.from({ length: Math.ceil(totalSec * PEAKS_PER_SEC) }, (_, i) => peaks[i] ?? 0);
  for (const [i, value] of values.entries()) if (from + i < all.length) all[from + i] = value;
  return all;
}

/** Adds the peaks of a part to those of the sound that it belongs to. A part that cannot be decoded has none. */
export async function addPeaks(sound: { playable: PlayableAudio; peaks: number[] }, part: Part): Promise<void> {
  const measured = await measurePeaks(part).catch(() => undefined);
  const { totalFrames, sampleRate } = sound.playable;
  if (measured !== undefined) sound.peaks = withPeaks(sound.peaks, measured, totalFrames / sampleRate);
}
