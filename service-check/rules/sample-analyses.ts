/** Analyses of two songs, as the contract has them. */

const MFCCS = [
  [-111.9, 116.7, -13.5, 29.7, -6, 11.2, -4.1, 7.8, -2.2, 5.1, -1.9, 3.4, -0.8],
  [-140.2, 98.1, -21.7, 33.4, -9.3, 14.8, -6.6, 9.1, -3.7, 6.2, -2.4, 4.9, -1.1],
];

/** The analysis of song 0 or 1. */
export function sampleAnalysis(index: 0 | 1): Record<string, unknown> {
  return {
    version: '1.0',
    harmonic: {
      key: index === 0 ? 'A minor' : 'C major',
      key_confidence: 0.7,
      chord_progression: ['Am', 'F', 'C', 'G'],
      chord_complexity: index === 0 ? 0.25 : 0.3,
    },
    rhythmic: {
      bpm: index === 0 ? 124 : 128,
      beat_confidence: 0.95,
      groove_stability: 0.9,
      swing_factor: 0,
    },
    spectral: {
      mfccs: (MFCCS[index] ?? []).map((mean) => [mean]),
      brightness: index === 0 ? 2400 : 2900,
      dynamic_range: index === 0 ? 14 : 17,
    },
    vocal: { vocal_presence: index === 0 ? 0.4 : 0.7 },
  };
}
