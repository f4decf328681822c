/** Reads a song for analysis or separation, with faults of its channels repaired. */
import { CHANNEL_FAULT_TEXTS } from './channel-faults.ts';
import { openAudio } from './decode.ts';
import type { DecodeOptions, StereoChunk } from './decode.ts';

/**
 * Gives the chunks of a song to `work`. An inverted or silent channel is certain only at the end of the song: `work` is then called
 * again with repaired chunks, and its first result is dropped. All that read the same file get the same samples. Memory is that of
 * `openAudio`.
 * @returns the result of `work`, and sentences on what is peculiar about the file
 * @throws AudioError for every file that cannot be used; errors of `work`
 */
export async function readSong<T>(
  bytes: Uint8Array,
  work: (chunks: AsyncGenerator<StereoChunk>) => Promise<T>,
  options: DecodeOptions = {},
): Promise<{ result: T; warnings: string[] }> {
  const song = openAudio(bytes, options);
  const result = await work(song.chunks);
  const fault = song.channelFault();
  if (!fault) return { result, warnings: song.warnings };
  const repaired = openAudio(bytes, { ...options, repair: fault });
  return { result: await work(repaired.chunks), warnings: [...song.warnings, CHANNEL_FAULT_TEXTS[fault]] };
}
