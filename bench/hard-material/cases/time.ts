import type { SongAnalysis } from '../../../schema.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { fMeasure } from '../../metrics.ts';
import { playSong } from '../band.ts';
import type { BandPart, BandSong, PlayedSong } from '../band.ts';
import { HALF_TIME_DRUMS, NO_DRUMS } from '../drum-patterns.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';

type TimeCase = {
  name: string;
  song: BandSong;
  truth: string;
  before: string;
  /** True parts: start in seconds, bpm, beats per bar (absent: 4). Absent: no change. */
  parts?: readonly { startSec: number; bpm: number; meter?: number }[];
  /** Smallest right beat F and downbeat F. */
  least?: { beats: number; downbeats: number };
};

const part = (bars: number, bpm: number, more: Partial<BandPart> = {}): BandPart => ({ bars, bpm, meter: 4, ...more });

/** A bar for each tempo. */
const barsAt = (tempi: readonly number[]): BandPart[] => tempi.map((bpm) => part(1, bpm));
/** Tempi of `bars` bars that rise or fall evenly. */
const ramp = (bars: number, from: number, to: number): number[] =>
  Array.from({ length: bars }, (_, i) => from + ((to - from) * i) / (bars - 1));

/** `100 bpm` or `100, 126 bpm`, and how well beats and downbeats agree with the truth. */
function describe({ rhythmic }: SongAnalysis, song: PlayedSong): string {
  const tempi = (rhythmic.tempo_parts ?? [rhythmic]).map(({ bpm }) => Math.round(bpm)).join(', ');
  const [beats, downbeats] = fOf(rhythmic, song);
  return `${tempi} bpm, beat F ${beats.toFixed(2)}, downbeat F ${downbeats.toFixed(2)}`;
}

function fOf(rhythmic: SongAnalysis['rhythmic'], { beats, downbeats }: PlayedSong): [number, number] {
  return [fMeasure(beats, rhythmic.beats_sec ?? []), fMeasure(downbeats, rhythmic.downbeats_sec ?? [])];
}

async function measure({ song, parts = [], least = { beats: 0.97, downbeats: 0.95 } }: TimeCase): Promise<HardOutcome> {
  const played = playSong(song);
  const analysis = await analyzeSong([played.mix, played.mix]);
  const { rhythmic, warnings = [] } = analysis;
  const found = rhythmic.tempo_parts ?? [];
  const [beats, downbeats] = fOf(rhythmic, played);
  const right =
    found.length === parts.length &&
    parts.every(
      ({ startSec, bpm, meter = 4 }, i) =>
        Math.abs(found[i]!.start_sec - startSec) < 0.1 &&
        Math.abs(found[i]!.bpm - bpm) < 0.3 &&
        found[i]!.meter === meter,
    ) &&
    warnings.length === (parts.length > 0 ? 1 : 0) &&
    beats >= least.beats &&
    downbeats >= least.downbeats;
  return { value: describe(analysis, played), right };
}

const CASES: readonly TimeCase[] = [
  {
    name: '100 bpm for 18 bars, then 126',
    song: { parts: [part(18, 100), part(18, 126)] },
    parts: [
      { startSec: 0, bpm: 100 },
      { startSec: 43.2, bpm: 126 },
    ],
    truth: '100, 126 bpm',
    before: '100 bpm, beat F 0.64, downbeat F 0.64',
  },
  {
    name: 'three tempi: 90, 120, 104 bpm',
    song: { parts: [part(9, 90), part(10, 120), part(10, 104)], tonic: 2, stems: ['drums', 'bass', 'other'] },
    parts: [
      { startSec: 0, bpm: 90 },
      { startSec: 24, bpm: 120 },
      { startSec: 44, bpm: 104 },
    ],
    truth: '90, 120, 104 bpm',
    before: '90 bpm, beat F 0.50, downbeat F 0.44',
  },
  {
    name: 'a pause of a beat and a half, after which 100 bpm go on',
    song: { parts: [part(9, 100, { restSec: 0.9 }), part(10, 100)], stems: ['drums', 'bass', 'other'] },
    parts: [
      { startSec: 0, bpm: 100 },
      { startSec: 22.5, bpm: 100 },
    ],
    truth: '100, 100 bpm',
    before: '101 bpm, beat F 0.89, downbeat F 0.46',
  },
  {
    name: '4/4 that becomes 3/4 at 110 bpm',
    song: { parts: [part(10, 110), { bars: 13, bpm: 110, meter: 3 }], stems: ['drums', 'bass', 'other'] },
    parts: [
      { startSec: 0, bpm: 110 },
      { startSec: 21.818, bpm: 110, meter: 3 },
    ],
    truth: '110 bpm in 4, then in 3',
    before: '110 bpm, beat F 0.99, downbeat F 0.65',
  },
  {
    name: 'half-time drums in the middle',
    song: { parts: [part(8, 140), part(8, 140, { drums: HALF_TIME_DRUMS }), part(6, 140)] },
    truth: '140 bpm throughout',
    before: '140 bpm, beat F 0.99, downbeat F 0.98',
  },
  {
    name: 'four bars without drums',
    song: { parts: [part(7, 100), part(4, 100, { drums: NO_DRUMS }), part(7, 100)] },
    truth: '100 bpm throughout',
    before: '100 bpm, beat F 0.99, downbeat F 0.97',
  },
  {
    name: 'live drums that drift by 2 %',
    song: { parts: barsAt(Array.from({ length: 18 }, (_, bar) => 104 * (1 + 0.02 * Math.sin(bar / 2.5)))) },
    truth: 'no change, beats follow',
    before: '104 bpm, beat F 0.99, downbeat F 0.97',
  },
  {
    name: 'accelerando from 100 to 110 bpm',
    song: { parts: barsAt(ramp(20, 100, 110)), stems: ['drums', 'bass', 'other'] },
    truth: 'no change, beats follow',
    before: '105 bpm, beat F 0.99, downbeat F 0.98',
  },
];

export const TIME_CASES: readonly HardCase[] = CASES.map((each) => ({
  group: 'time',
  name: each.name,
  truth: each.truth,
  before: each.before,
  measure: () => measure(each),
}));
