import { playSong } from '../band.ts';
import type { BandPart } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { mashupOf } from '../mashup.ts';
import type { BandMashup } from '../mashup.ts';

const part = (bars: number, bpm: number, meter = 4): BandPart => ({ bars, bpm, meter });

/** Value of a quality check; NaN if it has none. */
const valueOf = ({ result }: BandMashup, name: string): number =>
  result.quality?.checks.find((check) => check.name === name)?.value ?? Number.NaN;

/** Mashups whose songs change. Each takes several seconds. */
export const TIME_MASHUP_CASES: readonly HardCase[] = [
  {
    group: 'time',
    name: 'mashup of 100 bpm that become 126 with a steady song of 120',
    truth: 'heard at the stated tempo, lag within limits',
    before: 'stated 108.8, heard 109, lag 55.8 ms',
    measure: async () => {
      const mashup = await mashupOf({
        changing: playSong({ parts: [part(18, 100), part(18, 126)] }),
        steady: playSong({ parts: [part(28, 120)], tonic: 9, seed: 2 }),
      });
      const [stated, heard] = [mashup.result.bpm, mashup.heard.rhythmic.bpm];
      const lag = valueOf(mashup, 'beat_lag_p95');
      const isSteady = mashup.heard.rhythmic.tempo_parts === undefined;
      return {
        value: `stated ${stated}, heard ${Math.round(heard)}${isSteady ? '' : ' and another'}, lag ${lag.toFixed(1)} ms`,
        right: isSteady && Math.abs(heard / stated - 1) < 0.01 && lag <= 20 && mashup.result.quality?.passed === true,
      };
    },
  },
];
