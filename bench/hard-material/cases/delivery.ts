import { displayKeyWithCamelot } from '../../../music/theory/keys.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { RenderResult } from '../../../schema.ts';
import { analyzeSong } from '../../../services/analysis/analyze.ts';
import { checkFile } from '../../../services/processing/quality/check-file.ts';
import { measureFile } from '../../../services/processing/measure/file.ts';
import { playSong } from '../band.ts';
import type { HardCase } from '../hard-case.ts';
import { type PlannedSong, renderPlan } from '../render-plan.ts';

const BPM = 120;
const BARS = 6;
const PARTS = [{ bars: BARS, bpm: BPM, meter: 4 }];
const LAYERS = ['singer vocals', 'bed drums', 'bed bass', 'bed other'];

/** A song on C plus `tonic` semitones with the key that an analysis claims. */
const song = (id: string, tonic: number, key: string, seed: number): PlannedSong => ({
  ...playSong({ parts: PARTS, tonic, seed }),
  id,
  bpm: BPM,
  key,
});

/** Names of the hard checks that fail in a result. */
const failedChecks = ({ quality }: RenderResult): string[] =>
  (quality?.checks ?? []).filter(({ passed, kind }) => !passed && kind === 'hard').map(({ name }) => name);

/** The sound with one channel silent. */
const leftOnly = (sound: Float32Array): [Float32Array, Float32Array] => [sound, new Float32Array(sound.length)];

export const DELIVERY_CASES: readonly HardCase[] = [
  {
    group: 'delivery',
    name: 'voice in A major that the analysis reads as G major, over a song in G major: the shift is corrected',
    truth: 'states the key that is heard in the file',
    before: 'states G major, heard A major',
    measure: async () => {
      const songs = [song('singer', 9, 'G major', 1), song('bed', 7, 'G major', 2)];
      const { result, channels } = await renderPlan(songs, { bpm: BPM, key: 'G major', bars: BARS, layers: LAYERS });
      const heard = (await analyzeSong(channels)).harmonic.key;
      const isCorrected = (result.quality?.corrections.length ?? 0) > 0;
      return { value: `states ${result.key}, heard ${heard}`, right: isCorrected && result.key === heard };
    },
  },
  {
    group: 'delivery',
    name: 'mashup of stems with one silent channel',
    truth: 'says that it is heard from one side',
    before: 'limiting',
    measure: async () => {
      const { stems, ...bed } = song('bed', 7, 'G major', 2);
      const oneSided = {
        ...bed,
        stems: {
          vocals: leftOnly(stems.vocals as Float32Array),
          drums: leftOnly(stems.drums as Float32Array),
          bass: leftOnly(stems.bass as Float32Array),
          other: leftOnly(stems.other as Float32Array),
        },
      };
      const layers = LAYERS.slice(1);
      const { result } = await renderPlan([oneSided], { bpm: BPM, key: 'G major', bars: BARS, layers });
      const warning = result.warnings.find((text) => text.includes('from one side'));
      return {
        value: warning ?? (failedChecks(result).join(', ') || 'passes'),
        right: warning !== undefined && result.quality?.passed === false,
      };
    },
  },
  {
    group: 'delivery',
    name: 'mashup that begins with 8 s of faint hiss',
    truth: 'fails silence_start',
    before: 'passes',
    measure: () => {
      const { mix } = playSong({ parts: PARTS, silenceSec: 8 });
      // Louder than the limit of a gap, and inaudible beside the music.
      const hissing = mix.map((value, i) => value + (i % 2 === 0 ? 0.0015 : -0.0015));
      const checks = checkFile(measureFile([hissing, hissing], SAMPLE_RATE, []), 'wav', {});
      const failed = checks.filter(({ passed, name }) => !passed && name !== 'loudness').map(({ name }) => name);
      return Promise.resolve({
        value: failed.length > 0 ? `fails ${failed.join(', ')}` : 'passes',
        right: failed.join() === 'silence_start',
      });
    },
  },
  {
    group: 'delivery',
    name: 'song in B flat major',
    truth: 'B♭ major (6B)',
    before: 'A# major',
    measure: async () => {
      const { mix } = playSong({ parts: PARTS, tonic: 10 });
      const value = displayKeyWithCamelot((await analyzeSong([mix, mix])).harmonic.key);
      return { value, right: value === 'B♭ major (6B)' };
    },
  },
];
