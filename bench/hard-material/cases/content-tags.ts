/** Cases of files whose title tag says what they contain. */
import { encodeAudio } from '../../../audio/encode/encode.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { contentOf } from '../../../music/theory/content.ts';
import type { OutputFormat, SongContent } from '../../../schema.ts';
import { analyzeFile } from '../../../services/analysis/analyze-file.ts';
import { addNote, playSong } from '../band.ts';
import type { PlayedSong } from '../band.ts';
import type { HardCase } from '../hard-case.ts';

const BAR_SAMPLES = Math.round(2.4 * SAMPLE_RATE);

let played: PlayedSong | undefined;
const song = (): PlayedSong => (played ??= playSong({ parts: [{ bars: 9, bpm: 100, meter: 4 }] }));

/** A voice that never rests: the three bars in which the voice of the song sings, again and again. */
function voiceWithoutRests(): Float32Array {
  const { vocals } = song().stems;
  return Float32Array.from({ length: 6 * BAR_SAMPLES }, (_, i) => vocals[i % (3 * BAR_SAMPLES)]!);
}

/** The band without its voice, with a lead instrument in every second bar. */
function bandWithLead(): Float32Array {
  const { drums, bass, other } = song().stems;
  const mix = drums.map((value, i) => 0.7 * (value + bass[i]! + other[i]!));
  for (let bar = 0; bar < 9; bar += 2) {
    const note = { atSec: 2.4 * bar, lengthSec: 2.2, pitch: 0, velocity: 100 };
    addNote(mix, note, { hertz: 392, count: 8, level: 0.2, decay: 0.3 });
  }
  return mix;
}

/** A file with a title tag. Its name says nothing. */
const taggedCase = (
  name: string,
  truth: SongContent,
  { title, format, sound }: { title: string; format: OutputFormat; sound: () => Float32Array },
): HardCase => ({
  group: 'content',
  name: `${name}, ${format} with the title "${title}"`,
  truth,
  before: 'nothing said',
  measure: async () => {
    const mono = sound();
    const analysis = await analyzeFile(await encodeAudio([mono, mono], SAMPLE_RATE, format, { title }));
    const value = contentOf({ name: 'track 1', analysis });
    return { value, right: value === truth };
  },
});

export const TAG_CASES: readonly HardCase[] = [
  taggedCase('voice alone without rests', 'acapella', {
    title: 'Halo (Acapella)',
    format: 'mp3',
    sound: voiceWithoutRests,
  }),
  taggedCase('band with a lead instrument', 'instrumental', {
    title: 'Halo (Instrumental)',
    format: 'flac',
    sound: bandWithLead,
  }),
  taggedCase('band with a lead instrument', 'full', { title: 'Halo', format: 'wav', sound: bandWithLead }),
  taggedCase('whole band', 'full', { title: 'Halo (Acapella)', format: 'wav', sound: () => song().mix }),
];
