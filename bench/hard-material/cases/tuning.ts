import { tuningDistance } from '../../../audio/tuning.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { type BandStem, playSong } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { TUNED_PARTS, tunedSong } from './tuned-songs.ts';
import { TUNED_PAIR_CASES } from './tuned-pairs.ts';

/** Cents of the songs, and the names of two tunings that are in use. */
const TUNINGS = [-45, -31.8, 30, 45];
const NAMES = new Map([[-31.8, ' (432 Hz)']]);
const PITCHED: readonly BandStem[] = ['vocals', 'bass', 'other'];

const tuningCase = (cents: number): HardCase => ({
  group: 'tuning',
  name: `song at ${cents} cents${NAMES.get(cents) ?? ''}`,
  truth: `G major, ${cents} ± 3 cents`,
  before: 'G major, not measured',
  measure: async () => {
    const {
      key,
      tuning_cents: heard = NaN,
      tuning_confidence: confidence = 0,
    } = (await tunedSong(cents)).analysis.harmonic;
    const right = key === 'G major' && tuningDistance(heard, cents) < 3 && confidence > 0.5;
    return { value: `${key}, ${heard} cents at confidence ${confidence}`, right };
  },
});

export const TUNING_CASES: readonly HardCase[] = [
  ...TUNINGS.map(tuningCase),
  ...TUNED_PAIR_CASES,
  {
    group: 'tuning',
    name: 'song half a semitone too low',
    truth: '-50 cents of G major, or 50 of F# major',
    before: 'G major, not measured',
    measure: async () => {
      const { mix } = playSong({ cents: -50, parts: TUNED_PARTS });
      const { key, tuning_cents: heard = NaN } = (await analyzeSong([mix, mix])).harmonic;
      const right = tuningDistance(heard, -50) < 3 && key === (heard < 0 ? 'G major' : 'F# major');
      return { value: `${key}, ${heard} cents`, right };
    },
  },
  {
    group: 'tuning',
    name: 'song at 30 cents without drums',
    truth: '30 ± 3 cents',
    before: 'not measured',
    measure: async () => {
      const { mix } = playSong({ cents: 30, parts: TUNED_PARTS, stems: PITCHED });
      const { tuning_cents: heard = NaN, tuning_confidence: confidence } = (await analyzeSong([mix, mix])).harmonic;
      return { value: `${heard} cents at confidence ${confidence}`, right: tuningDistance(heard, 30) < 3 };
    },
  },
  {
    group: 'tuning',
    name: 'drums alone',
    truth: 'confidence below 0.2',
    before: 'not measured',
    measure: async () => {
      const { mix } = playSong({ parts: TUNED_PARTS, stems: ['drums'] });
      const { tuning_confidence: confidence = NaN } = (await analyzeSong([mix, mix])).harmonic;
      return { value: `confidence ${confidence}`, right: confidence < 0.2 };
    },
  },
];
