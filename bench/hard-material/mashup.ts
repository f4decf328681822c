/** Makes a mashup of songs of the band as a user gets it: analysis, plan by rules, render with quality checks. */
import { decodeAudio } from '../../audio/decode/decode.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { STEMS } from '../../schema.ts';
import type { AnalyzedSong, SongAnalysis } from '../../schema.ts';
import { analyzeSong } from '../../services/analysis/analyze.ts';
import { withAudioServices } from '../audio-services.ts';
import type { PairResult } from '../pair-result.ts';
import { nameOf, renderGroup } from '../pair-songs.ts';
import type { PlayedSong } from './band.ts';

/** A rendered mashup, its songs and the analysis of its file. */
export type BandMashup = Omit<PairResult, 'songs'> & { songs: AnalyzedSong[]; heard: SongAnalysis };

/** Renders a mashup of songs by name. Their stems are exact. */
export async function mashupOf(played: Record<string, PlayedSong>): Promise<BandMashup> {
  const files = new Map<string, Uint8Array>();
  const songs: AnalyzedSong[] = [];
  for (const [name, { mix, stems }] of Object.entries(played)) {
    for (const stem of STEMS) {
      const samples = stems[stem].map((value) => 0.7 * value);
      files.set(`/${name}/${stem}.wav`, encodeWav16([samples, samples], SAMPLE_RATE));
    }
    songs.push({ song_id: name, name, artist: 'band', analysis: await analyzeSong([mix, mix]) });
  }
  const result = await withAudioServices(files, (services) => renderGroup(songs, services));
  const { channels } = await decodeAudio(files.get(`/${nameOf(songs)}.wav`)!);
  return { ...result, songs, heard: await analyzeSong([channels[0]!, channels[1]!]) };
}
