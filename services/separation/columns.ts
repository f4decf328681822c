/** The frequency axis of the masks: single bins up to 8 kHz, groups of bins above. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';

/** Window of the STFT, samples. */
export const FFT_SIZE = 4096;
/** Samples between two frames. */
export const HOP = FFT_SIZE / 4;
/** Distance of two bins. */
export const BIN_HZ = SAMPLE_RATE / FFT_SIZE;
/** Number of bins, with the Nyquist bin. */
export const BINS = FFT_SIZE / 2 + 1;
/** From this bin on (8 kHz), `GROUP` bins share a column. This halves the work, and pitch is not tracked there. */
const FIRST_GROUPED = 744;
const GROUP = 4;
/** Number of columns. */
export const COLUMNS = FIRST_GROUPED + Math.ceil((BINS - FIRST_GROUPED) / GROUP);

/** Column of each bin. */
export const COLUMN_OF_BIN = Uint16Array.from({ length: BINS }, (_, bin) =>
  bin < FIRST_GROUPED ? bin : FIRST_GROUPED + Math.floor((bin - FIRST_GROUPED) / GROUP),
);

/** Column of a frequency; the last one for frequencies above the range. */
export function columnOf(hertz: number): number {
  return COLUMN_OF_BIN[Math.min(BINS - 1, Math.max(0, Math.round(hertz / BIN_HZ)))]!;
}

/** Centre frequency of each column, Hz. */
export const COLUMN_HZ = Float32Array.from({ length: COLUMNS }, (_, column) =>
  column < FIRST_GROUPED ? column * BIN_HZ : (FIRST_GROUPED + (column - FIRST_GROUPED + 0.5) * GROUP - 0.5) * BIN_HZ,
);

/** Number of bins of each column. */
export const COLUMN_WIDTH = (() => {
  const width = new Uint8Array(COLUMNS);
  for (const column of COLUMN_OF_BIN) width[column]!++;
  return width;
})();
