/** Reads the songs of a request. What their analyses leave out is measured in their stems. */
import { type RenderRequest, STEMS } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { soundSpans } from '../../../music/theory/sound-spans.ts';
import type { StemSource } from '../files/read-stem.ts';
import type { OnsetEnvelopes } from '../measure/onsets.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { alignGrid } from '../song/align-grid.ts';
import { hasBeatGrid, readSong, type RenderSong, stemsMissingError } from '../song/song.ts';
import { songPieces, urlsOf } from '../song/song-pieces.ts';
import type { RenderThreads } from '../threads/thread-pool.ts';
import type { StemStore } from './stem-store.ts';

/** Drums rest below this level: 30 dB below their loud parts. What sounds there comes from other stems. */
const RESTING_DRUMS_LEVEL = 0.25;

type SentSong = RenderRequest['songs'][number];

/**
 * Reads the songs that the plan uses. A song without a beat grid is analysed from its stems. Returns warnings for what had to be
 * guessed.
 * @param options.onAnalyze is called with the name of each song that is analysed
 * @param options.count number of sections whose stems must be there
 * @throws RenderError stems_missing, stem_unavailable, stem_unusable
 */
export async function readSongs(
  request: RenderRequest,
  plan: RenderPlan,
  threads: RenderThreads,
  { onAnalyze, count }: { onAnalyze: (name: string) => void; count: number },
): Promise<{ songs: Map<string, RenderSong>; warnings: string[] }> {
  const songs = new Map<string, RenderSong>();
  const warnings: string[] = [];
  for (const sent of request.songs) {
    const layers = plan.sections.flatMap((section) => section.layers).filter((layer) => layer.songId === sent.song_id);
    if (layers.length === 0 || songs.has(sent.song_id)) continue;
    const name = sent.name ?? sent.song_id;
    const heard = plan.sections.slice(0, count).flatMap((section) => section.layers);
    if (heard.some(({ songId, stem }) => songId === sent.song_id && !sent.stems?.[stem])) throw stemsMissingError(name);
    const needsAnalysis = !hasBeatGrid(sent);
    if (needsAnalysis) onAnalyze(name);
    const fromStems = needsAnalysis ? await threads.run('analyze', stemSources(sent, name)) : undefined;
    const starts = layers.flatMap(({ sourceStartSec }) => (sourceStartSec === undefined ? [] : [sourceStartSec]));
    const read = readSong(sent, fromStems, plan.bpm, starts);
    warnings.push(...read.warnings);
    songs.set(sent.song_id, read.song);
  }
  return { songs, warnings };
}

const stemSources = ({ stems = {} }: SentSong, song: string): StemSource[] =>
  STEMS.flatMap((stem) => {
    const urls = stems[stem];
    return urls === undefined
      ? []
      : [{ urls: urlsOf(urls), starts: songPieces({ [stem]: urls })?.starts[stem], song, stem }];
  });

/**
 * Measures the drums of the songs and aligns their beat grids to them. A single song needs no alignment, and a song without a
 * drum stem or a beat gets none.
 * @returns the songs with aligned grids, and the onsets by song
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function alignToDrums(
  songs: ReadonlyMap<string, RenderSong>,
  stems: StemStore,
): Promise<{ songs: Map<string, RenderSong>; drumOnsets: Map<string, OnsetEnvelopes> }> {
  const aligned = new Map(songs);
  const drumOnsets = new Map<string, OnsetEnvelopes>();
  if (songs.size < 2) return { songs: aligned, drumOnsets };
  await Promise.all(
    [...songs.values()].map(async (song) => {
      const hasDrums = song.hasBeat && song.stems.drums !== undefined;
      const drums = hasDrums ? await stems.measureDrums(song) : null;
      if (!drums) return;
      drumOnsets.set(song.id, drums.onsets);
      aligned.set(song.id, {
        ...song,
        grid: alignGrid(song.grid, drums.onsets.attack, SAMPLE_RATE),
        drumSound: soundSpans(drums.level, song.durationSec, { silence: RESTING_DRUMS_LEVEL }),
      });
    }),
  );
  return { songs: aligned, drumOnsets };
}
