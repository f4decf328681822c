/** Cases of quiet songs, and of silence before and after the music. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { DEFAULT_PLAN_LIMITS } from '../../../music/plan/limits.ts';
import { producePlan } from '../../../music/producer/producer.ts';
import { scorePair } from '../../../music/scoring/scoring.ts';
import { STEMS } from '../../../schema.ts';
import type { AnalyzedSong, SongAnalysis } from '../../../schema.ts';
import { analyzeFile } from '../../../services/analysis/analyze-file.ts';
import { playSong } from '../band.ts';
import type { BandSong } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { renderMashup, songFile } from '../stem-mashup.ts';
import type { MashupSection, MashupSong } from '../stem-mashup.ts';

const BARS = 16;
const BPM = 100;
const BAR_SEC = 240 / BPM;
const USUAL_LUFS = -14;
/** Length of silence before the music of the songs below. */
const SILENCE_SEC = 40;

function play(name: string, song: BandSong = {}): MashupSong {
  return { name, stems: playSong({ parts: [{ bars: BARS, bpm: BPM, meter: 4 }], ...song }).stems };
}

/** The song at an integrated loudness. */
function atLoudness({ name, stems }: MashupSong, lufs: number): MashupSong {
  const mix = stems.vocals.map((_, i) => STEMS.reduce((sum, stem) => sum + stems[stem][i]!, 0));
  const gain = 10 ** ((lufs - integratedLoudness([mix, mix], SAMPLE_RATE)) / 20);
  const scaled = (samples: Float32Array): Float32Array => samples.map((value) => gain * value);
  return { name, stems: { ...stems, ...Object.fromEntries(STEMS.map((stem) => [stem, scaled(stems[stem])])) } };
}

/** The song followed by silence. */
function withSilenceAfter({ name, stems }: MashupSong, seconds: number): MashupSong {
  const padded = (samples: Float32Array): Float32Array => {
    const longer = new Float32Array(samples.length + seconds * SAMPLE_RATE);
    longer.set(samples);
    return longer;
  };
  return { name, stems: { ...stems, ...Object.fromEntries(STEMS.map((stem) => [stem, padded(stems[stem])])) } };
}

const analyses = new Map<number, Promise<SongAnalysis>>();
function analysisAt(lufs: number): Promise<SongAnalysis> {
  const known = analyses.get(lufs) ?? analyzeFile(songFile(atLoudness(play('quiet'), lufs)));
  analyses.set(lufs, known);
  return known;
}

const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) : Infinity;

function quietCase(lufs: number, before: string): HardCase {
  return {
    group: 'signal',
    name: `song at ${lufs} LUFS: analysis`,
    truth: `as at ${USUAL_LUFS} LUFS, beats within 2 ms`,
    before,
    measure: async () => {
      const [usual, quiet] = [await analysisAt(USUAL_LUFS), await analysisAt(lufs)];
      const beats = largestDifference(usual.rhythmic.beats_sec!, quiet.rhythmic.beats_sec!);
      const voice = Math.abs(usual.vocal.vocal_presence - quiet.vocal.vocal_presence);
      const sameKey = usual.harmonic.key === quiet.harmonic.key;
      const value =
        `beats within ${(1000 * beats).toFixed(1)} ms, ${sameKey ? 'same key' : quiet.harmonic.key}, ` +
        `voice ${quiet.vocal.vocal_presence.toFixed(2)} for ${usual.vocal.vocal_presence.toFixed(2)}`;
      return { value, right: beats < 0.002 && voice < 0.02 && sameKey };
    },
  };
}

const OVERLAY: readonly MashupSection[] = [
  {
    sec: 4 * BAR_SEC,
    layers: [
      { song: 'bed', stem: 'drums', startSec: 4 * BAR_SEC },
      { song: 'bed', stem: 'other', startSec: 4 * BAR_SEC },
      { song: 'quiet', stem: 'vocals', startSec: 4 * BAR_SEC },
      { song: 'quiet', stem: 'bass', startSec: 4 * BAR_SEC },
    ],
  },
];

/** Level of the difference between two mashups, relative to the first, in dB. */
function differenceDb(a: Float32Array, b: Float32Array): number {
  let [own, difference] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    own += a[i]! ** 2;
    difference += (a[i]! - (b[i] ?? 0)) ** 2;
  }
  return 10 * Math.log10(difference / own);
}

/** Number of layers of a plan by rules that play a song outside of its music. */
async function layersInSilence(): Promise<{ silent: number; all: number }> {
  const late = withSilenceAfter(play('late', { seed: 5, tonic: 9, silenceSec: SILENCE_SEC }), 20);
  const songs = await Promise.all(
    [play('early'), late].map(async (song): Promise<AnalyzedSong> => {
      return { song_id: song.name, name: song.name, artist: 'band', analysis: await analyzeFile(songFile(song)) };
    }),
  );
  const scores = [scorePair(songs[0]!, songs[1]!)];
  const { timeline } = producePlan({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 1 }).masterplan;
  const starts = timeline.flatMap(({ layers, duration_sec }) =>
    layers
      .filter(({ songId }) => songId === 'late')
      .map(({ source_start_sec = 0 }) => [source_start_sec, source_start_sec + duration_sec] as const),
  );
  const end = SILENCE_SEC + BARS * BAR_SEC;
  const silent = starts.filter(([from, to]) => from < SILENCE_SEC - 0.1 || to > end + BAR_SEC);
  return { silent: silent.length, all: starts.length };
}

/** Level of the first four seconds of the drums of a song whose drums enter after eight bars, from a plan that starts at 0. */
async function drumsBeforeEntry(): Promise<{ level: number; hasBed: boolean }> {
  const entry = 8 * BAR_SEC * SAMPLE_RATE;
  const { name, stems } = play('entry', { seed: 7 });
  const entering = { name, stems: { ...stems, drums: stems.drums.map((value, i) => (i < entry ? 0 : value)) } };
  const { left, result } = await renderMashup([entering, play('bed')], BPM, [
    { sec: 2 * BAR_SEC, layers: [{ song: 'entry', stem: 'drums', startSec: 0 }] },
    { sec: 2 * BAR_SEC, layers: [{ song: 'bed', stem: 'other', startSec: 0 }] },
  ]);
  const start = left.subarray(0, 4 * SAMPLE_RATE);
  const power = start.reduce((sum, value) => sum + value * value, 0) / start.length;
  const hasBed = (result.warnings ?? []).some((text) => text.includes('quiet bed'));
  return { level: 10 * Math.log10(power + 1e-12), hasBed };
}

export const LEVEL_CASES: readonly HardCase[] = [
  quietCase(-40, 'beats within 4.7 ms, same key, voice 0.77 for 0.77'),
  quietCase(-55, 'beats within 6.3 ms, same key, voice 0.77 for 0.77'),
  {
    group: 'signal',
    name: '40 s of silence before the music and 20 s after it: layers of a plan in the silence',
    truth: '0',
    before: '5 of 10',
    measure: async () => {
      const { silent, all } = await layersInSilence();
      return { value: `${silent} of ${all}`, right: silent === 0 && all > 0 };
    },
  },
];

/** Mashups of quiet songs and of songs whose drums rest. Each takes several seconds. */
export const LEVEL_MASHUP_CASES: readonly HardCase[] = [
  {
    group: 'signal',
    name: 'song at -40 LUFS over one at -14: the mashup',
    truth: 'differs by less than -18 dB from one with both at -14',
    before: '-4.5 dB',
    measure: async () => {
      const bed = atLoudness(play('bed', { seed: 9 }), USUAL_LUFS);
      const mashups: Float32Array[] = [];
      for (const lufs of [USUAL_LUFS, -40])
        mashups.push((await renderMashup([bed, atLoudness(play('quiet'), lufs)], BPM, OVERLAY)).left);
      const difference = differenceDb(mashups[0]!, mashups[1]!);
      return { value: `${difference.toFixed(1)} dB`, right: difference < -18 };
    },
  },
  {
    group: 'signal',
    name: 'drums that enter after eight bars, planned from the start of the song',
    truth: 'the first four seconds sound (over -40 dBFS), without an added bed',
    before: '-23.3 dBFS, bed added',
    measure: async () => {
      const { level, hasBed } = await drumsBeforeEntry();
      return { value: `${level.toFixed(1)} dBFS${hasBed ? ', bed added' : ''}`, right: level > -40 && !hasBed };
    },
  },
];
