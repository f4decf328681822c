import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { playSong } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { CHANNEL_CASES } from './channels.ts';
import { LEVEL_CASES } from './levels.ts';
import { SURROUND_CASES } from './surround.ts';

export const SIGNAL_CASES: readonly HardCase[] = [
  {
    group: 'signal',
    name: 'song without any peculiarity',
    truth: '100 bpm, G major',
    before: '100 bpm, G major',
    measure: async () => {
      const { mix } = playSong();
      const { rhythmic, harmonic } = await analyzeSong([mix, mix]);
      const right = Math.abs(rhythmic.bpm - 100) < 0.2 && harmonic.key === 'G major';
      return { value: `${Math.round(rhythmic.bpm)} bpm, ${harmonic.key}`, right };
    },
  },
  ...CHANNEL_CASES,
  ...LEVEL_CASES,
  ...SURROUND_CASES,
];
