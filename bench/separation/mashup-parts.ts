/** Separation of what a mashup of two songs plays, beside that of the whole songs. */
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { playedRanges } from '../../music/plan/played-ranges.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { AnalyzedSong, TimeRange } from '../../schema.ts';
import { analyzeFile } from '../../services/analysis/analyze-file.ts';
import { longSong } from '../render.ts';
import type { SeparationService } from './separation-service.ts';
import type { Usage } from './usage.ts';

const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'];

/** A song with what the mashup plays of it; undefined for all of it. */
export interface PlannedSong {
  file: Uint8Array;
  seconds: number;
  ranges: TimeRange[] | undefined;
}

/** The start of an example as a WAV file. */
export async function exampleClip(seconds: number): Promise<Uint8Array> {
  const { channels } = await decodeAudio(await longSong(SONGS[0]!));
  return encodeWav16(
    channels.map((samples) => samples.subarray(0, Math.round(seconds * SAMPLE_RATE))),
    SAMPLE_RATE,
  );
}

/** Plans a mashup of the examples, repeated to three minutes. */
export async function planMashup(lengthSec: number): Promise<PlannedSong[]> {
  const files: Uint8Array[] = [];
  const songs: AnalyzedSong[] = [];
  for (const name of SONGS) {
    const file = await longSong(name);
    files.push(file);
    songs.push({ song_id: name, name, artist: 'example', analysis: await analyzeFile(file) });
  }
  const scores = [scorePair(songs[0]!, songs[1]!)];
  const plan = producePlan({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 1, length_sec: lengthSec });
  const played = playedRanges(plan, songs);
  return songs.map(({ song_id: id, analysis }, i) => ({
    file: files[i]!,
    seconds: analysis.duration_sec ?? 0,
    ranges: played[id]?.map(([start_sec, end_sec]) => ({ start_sec, end_sec })),
  }));
}

/** Separates the songs one after the other: only what is played, or all of them. */
export async function separateSongs(
  songs: readonly PlannedSong[],
  service: SeparationService,
  { whole }: { whole: boolean },
): Promise<Usage> {
  const usages: Usage[] = [];
  for (const { file, ranges } of songs) usages.push(await service.separate(file, 'neural', whole ? undefined : ranges));
  const sum = (key: 'seconds' | 'cpuSeconds'): number => usages.reduce((all, usage) => all + usage[key], 0);
  return {
    seconds: sum('seconds'),
    cpuSeconds: sum('cpuSeconds'),
    peakMb: Math.max(...usages.map(({ peakMb }) => peakMb)),
  };
}
