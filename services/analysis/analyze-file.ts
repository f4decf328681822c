/** Analyses the bytes of a file. */
import type { DecodeLimits, StereoChunk } from '../../audio/decode/decode.ts';
import { SILENCE_LUFS } from '../../audio/level/loudness.ts';
import { readSong } from '../../audio/decode/read-song.ts';
import { readNameTags } from '../../audio/decode/name-tags.ts';
import { contentOf, namedContent } from '../../music/theory/content.ts';
import type { SongAnalysis } from '../../schema.ts';
import { analyzeStream } from './analyze.ts';

/** What a user should know of the content of a song. */
function peculiarities(analysis: SongAnalysis): string[] {
  const texts: string[] = [];
  if (contentOf({ name: '', analysis }) === 'acapella')
    texts.push('The song has voices alone: they are used whole, over another song.');
  if (analysis.rhythmic.has_beat === false) texts.push('The song has no beat: it plays free, at its own speed.');
  return texts;
}

/** Quieter songs are analysed again at `USUAL_LUFS`: onset strengths are compressed relative to full scale. */
const QUIET_LUFS = -25;
const USUAL_LUFS = -14;

async function* amplify(chunks: AsyncIterable<StereoChunk>, gain: number): AsyncGenerator<StereoChunk> {
  for await (const [left, right] of chunks) {
    const louder = left.map((value) => value * gain);
    yield [louder, right === left ? louder : right.map((value) => value * gain)];
  }
}

/**
 * Decodes and analyses a file in any supported format. What is peculiar about the file and its rhythm is told in `warnings`. A quiet
 * song has the analysis of the same song at a usual level; its loudness and waveform are those of the file. A title tag is a hint of
 * the content.
 * @throws AudioError for every file that cannot be used
 */
export async function analyzeFile(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): Promise<SongAnalysis> {
  const { result, warnings } = await readSong(bytes, analyzeStream, { limits });
  const tagged = namedContent(readNameTags(bytes).title ?? '');
  const heard = await atUsualLevel(bytes, result, limits);
  const analysis: SongAnalysis = tagged === 'full' ? heard : { ...heard, tagged_content: tagged };
  const all = [...warnings, ...(analysis.warnings ?? []), ...peculiarities(analysis)];
  return all.length > 0 ? { ...analysis, warnings: all } : analysis;
}

async function atUsualLevel(
  bytes: Uint8Array,
  analysis: SongAnalysis,
  limits: Partial<DecodeLimits>,
): Promise<SongAnalysis> {
  const { loudness, waveform } = analysis;
  if (!loudness || loudness.integrated_lufs >= QUIET_LUFS || loudness.integrated_lufs <= SILENCE_LUFS) return analysis;
  const gain = 10 ** ((USUAL_LUFS - loudness.integrated_lufs) / 20);
  const { result } = await readSong(bytes, (chunks) => analyzeStream(amplify(chunks, gain)), { limits });
  return { ...result, loudness, waveform };
}
