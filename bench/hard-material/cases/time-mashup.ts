import { playSong } from '../band.ts';
import type { BandPart } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { mashupOf } from '../mashup.ts';
import type { BandMashup } from '../mashup.ts';
import { FIVE_FOUR_DRUMS } from '../drum-patterns.ts';

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
  {
    group: 'time',
    name: 'mashup of a song in 5/4 with one in 4/4',
    truth: 'plan and warnings say that the bars differ',
    before: '"five" counts 3 beats to the bar, the mashup 4; no warning',
    measure: async () => {
      const five: BandPart = { ...part(20, 100, 5), drums: FIVE_FOUR_DRUMS, secondNoteBeat: 3 };
      const mashup = await mashupOf({
        five: playSong({ parts: [five] }),
        four: playSong({ parts: [part(24, 104)], tonic: 9, seed: 2 }),
      });
      const problems = mashup.plan.masterplan.problems_and_solutions.map(({ problem }) => problem);
      const said = problems.find((problem) => problem.includes('beats to the bar')) ?? 'nothing';
      const foreign = valueOf(mashup, 'foreign_meters');
      const isWarned = mashup.result.warnings.some((warning) => warning.includes('another meter'));
      return { value: said, right: said.includes('counts 5 beats') && foreign === 1 && isWarned };
    },
  },
];
