/** How far the notes of songs that sound together are from one tuning. */
import { addHistograms, estimateTuning, tuningDistance, type TuningHistogram } from '../../../audio/tuning.ts';
import type { MeasuredSection } from './measured-section.ts';

/** Songs whose notes agree less about their tuning are left out, for example voices that glide, and noise in a stem. */
const MIN_CONFIDENCE = 0.5;

export type HeardTuning = {
  /** Tuning of each song where it sounds with another, in cents above A = 440 Hz; of songs for which it can be measured. */
  bySong: Map<string, number>;
  /** Largest distance of two songs that sound together; null if fewer than two can be measured. */
  apartCents: number | null;
};

/** Spectral peaks by tuning of all notes that each song plays in a section. */
function songHistograms({ layers }: Pick<MeasuredSection, 'layers'>): Map<string, TuningHistogram> {
  const histograms = new Map<string, TuningHistogram>();
  for (const { songId, tuning } of layers) {
    if (!tuning?.some((weight) => weight > 0)) continue;
    const before = histograms.get(songId);
    histograms.set(songId, before ? addHistograms(before, tuning) : tuning);
  }
  return histograms;
}

/** Measures the tuning of each song over the sections in which other songs play notes as well, and the largest distance. */
export function measureTuning(sections: readonly Pick<MeasuredSection, 'layers'>[]): HeardTuning {
  const together = sections.map(songHistograms).filter((songs) => songs.size > 1);
  const total = new Map<string, TuningHistogram>();
  for (const [id, histogram] of together.flatMap((songs) => [...songs])) {
    const before = total.get(id);
    total.set(id, before ? addHistograms(before, histogram) : histogram);
  }
  const bySong = new Map<string, number>();
  for (const [id, histogram] of total) {
    const { cents, confidence } = estimateTuning(histogram);
    if (confidence >= MIN_CONFIDENCE) bySong.set(id, cents);
  }
  const distances = together.flatMap((songs) => {
    const heard = [...songs.keys()].flatMap((id) => bySong.get(id) ?? []);
    return heard.flatMap((one, i) => heard.slice(i + 1).map((other) => tuningDistance(one, other)));
  });
  return { bySong, apartCents: distances.length > 0 ? Math.max(...distances) : null };
}
