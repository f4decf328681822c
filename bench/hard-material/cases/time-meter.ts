import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { fMeasure } from '../../metrics.ts';
import { MAJOR_TRIAD, playSong } from '../band.ts';
import type { BandSong } from '../band.ts';
import { ELEVEN_FOUR_DRUMS, FIVE_FOUR_DRUMS, SEVEN_EIGHT_223_DRUMS, SEVEN_EIGHT_322_DRUMS } from '../drum-patterns.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';

type MeterCase = {
  name: string;
  song: BandSong;
  bpm: number;
  meter: number;
  before: string;
  /** Whether the song is cut at the end of its last bar. */
  loop?: boolean;
};

const noVoice = ['drums', 'bass', 'other'] as const;

async function measure({ song, bpm, meter, loop = false }: MeterCase): Promise<HardOutcome> {
  const { mix, beats, downbeats } = playSong(song);
  const end = beats.at(-1)! + 60 / bpm;
  const cut = loop ? mix.subarray(0, Math.round(end * 44_100)) : mix;
  const { rhythmic } = await analyzeSong([cut, cut]);
  const [beatF, downbeatF] = [
    fMeasure(beats, rhythmic.beats_sec ?? []),
    fMeasure(downbeats, rhythmic.downbeats_sec ?? []),
  ];
  const isHeard = loop || (beatF > 0.97 && downbeatF > 0.93);
  return {
    value: `${Math.round(rhythmic.bpm)} bpm in ${rhythmic.meter ?? '?'}, beat F ${beatF.toFixed(2)}, downbeat F ${downbeatF.toFixed(2)}`,
    right: Math.abs(rhythmic.bpm - bpm) < 0.5 && rhythmic.meter === meter && isHeard,
  };
}

const CASES: readonly MeterCase[] = [
  {
    name: '5/4 at 100 bpm, 3 + 2',
    song: { parts: [{ bars: 11, bpm: 100, meter: 5, drums: FIVE_FOUR_DRUMS, secondNoteBeat: 3 }] },
    bpm: 100,
    meter: 5,
    before: '100 bpm in 3, beat F 0.99, downbeat F 0.27',
  },
  {
    name: '5/4 at 170 bpm, 3 + 2, without voice',
    song: { parts: [{ bars: 16, bpm: 170, meter: 5, drums: FIVE_FOUR_DRUMS }], tonic: 2, stems: noVoice },
    bpm: 170,
    meter: 5,
    before: '136 bpm in 4, beat F 0.22, downbeat F 0.00',
  },
  {
    name: '7/8 at 220 eighths, 2 + 2 + 3, without voice',
    song: { parts: [{ bars: 15, bpm: 220, meter: 7, drums: SEVEN_EIGHT_223_DRUMS }], stems: noVoice },
    bpm: 220,
    meter: 7,
    before: '63 bpm in 4, beat F 0.22, downbeat F 0.70',
  },
  {
    name: '7/8 at 220 eighths, 3 + 2 + 2',
    song: { parts: [{ bars: 15, bpm: 220, meter: 7, drums: SEVEN_EIGHT_322_DRUMS, secondNoteBeat: 3 }], tonic: 4 },
    bpm: 220,
    meter: 7,
    before: '63 bpm in 4, beat F 0.22, downbeat F 0.00',
  },
  {
    name: 'a loop of two bars of 4/4 without drums',
    song: {
      parts: [{ bars: 2, bpm: 100, meter: 4 }],
      progression: [{ root: 0, intervals: MAJOR_TRIAD }],
      stems: ['vocals', 'bass', 'other'],
    },
    bpm: 100,
    meter: 4,
    loop: true,
    before: '100 bpm in 3, beat F 0.94, downbeat F 0.40',
  },
];

/** A song whose bars have no meter that is read: the beats are right, and the meter is said to be unknown. */
const UNKNOWN_METER: HardCase = {
  group: 'time',
  name: '11/4 at 130 bpm, 3 + 3 + 3 + 2',
  truth: '130 bpm, no known meter',
  before: '130 bpm in 3, beat F 0.99',
  measure: async () => {
    const { mix, beats } = playSong({
      parts: [{ bars: 8, bpm: 130, meter: 11, drums: ELEVEN_FOUR_DRUMS }],
      stems: noVoice,
    });
    const { rhythmic } = await analyzeSong([mix, mix]);
    const beatF = fMeasure(beats, rhythmic.beats_sec ?? []);
    return {
      value: `${Math.round(rhythmic.bpm)} bpm in ${rhythmic.meter ?? '?'}, beat F ${beatF.toFixed(2)}`,
      right: rhythmic.meter === null && rhythmic.has_beat === true && beatF > 0.97,
    };
  },
};

/** Songs in five, seven and eleven, and loops. */
export const METER_CASES: readonly HardCase[] = [
  ...CASES.map((each): HardCase => ({
    group: 'time',
    name: each.name,
    truth: `${each.bpm} bpm in ${each.meter}`,
    before: each.before,
    measure: () => measure(each),
  })),
  UNKNOWN_METER,
];
