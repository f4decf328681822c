/** Analyses of songs, as stored by the engine; nothing is analysed in the browser and nothing twice. */
import { useCallback } from 'react';
import type { PairScore, SongAnalysis, SongCard } from '../../../schema.ts';
import type { StudioSong } from '../state/songs.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

/** How well songs go together, in words. */
export interface Compatibility {
  /** 0..100, rounded. */
  score: number;
  reasons: string[];
  suggestions: string[];
}

export interface AudioAnalysis {
  isAnalyzing: boolean;
  /** Resolves when the engine has analysed the song; null if it cannot. Songs that lie on the desk are analysed anyway. */
  analyzeSong(song: Pick<StudioSong, 'id'> & Partial<StudioSong>): Promise<SongAnalysis | null>;
  getAnalysis(id: string): SongAnalysis | undefined;
  analyzedSongs: Map<string, SongAnalysis>;
  analyzeMashupCompatibility(songs: { id: string }[], weights?: Weights): Compatibility;
  /** The song's card in the draft's row: state, and first numbers before the whole analysis is here. */
  getCard(id: string): SongCard | undefined;
  getPair(a: string, b: string): PairScore | undefined;
}

const DIMENSIONS = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;
/** What the existing hook called the parts of its score, by the dimension that they belong to. */
const OLDER_NAMES = {
  harmonic: ['key'],
  rhythmic: ['bpm', 'rhythm'],
  spectral: [],
  vocal: ['energy'],
} as const satisfies Record<(typeof DIMENSIONS)[number], readonly string[]>;

type WeightName = (typeof DIMENSIONS)[number] | 'key' | 'bpm' | 'rhythm' | 'energy';
/** Weights of the dimensions, or of the existing hook's parts. They need not sum to one. */
type Weights = Partial<Record<WeightName, number>>;

/** A pair's score under other weights than the engine's. */
function weigh(pair: PairScore, weights: Weights = {}): number {
  const given = DIMENSIONS.map((name) => ({
    score: pair.dimension_scores[name],
    weight: [name, ...OLDER_NAMES[name]].reduce((sum, one) => sum + (weights[one] ?? 0), 0),
  }));
  const total = given.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return pair.score;
  return given.reduce((sum, { score, weight }) => sum + score * weight, 0) / total;
}

export function useAudioAnalysis(): AudioAnalysis {
  const { desk } = useStudio();
  const { draft, analyses, scores, uploads } = useStore(desk);

  const analyzeSong = useCallback(
    (song: Pick<StudioSong, 'id'> & Partial<StudioSong>): Promise<SongAnalysis | null> => {
      const known = desk.get().analyses.get(song.id);
      if (known !== undefined) return Promise.resolve(known);
      if (!desk.get().uploads.has(song.id)) desk.lay([{ name: 'Untitled', artist: '', ...song }]);
      return new Promise((resolve) => {
        const look = (): void => {
          const state = desk.get();
          const found = state.analyses.get(song.id);
          const card = state.draft?.songs.find((one) => one.song_id === song.id);
          const isLost =
            state.uploads.get(song.id)?.problem !== undefined || card?.state === 'failed' || card?.state === 'excluded';
          if (found === undefined && !isLost) return;
          stop();
          resolve(found ?? null);
        };
        const stop = desk.subscribe(look);
        look();
      });
    },
    [desk],
  );

  const getPair = (a: string, b: string): PairScore | undefined =>
    scores.find(({ song_pair }) => song_pair.includes(a) && song_pair.includes(b));

  return {
    isAnalyzing:
      (draft?.status === 'processing' && ['queued', 'analyzing', 'scoring'].includes(draft.stage)) ||
      [...uploads.values()].some((upload) => upload.submitted === undefined && upload.problem === undefined),
    analyzeSong,
    getAnalysis: (id) => analyses.get(id),
    analyzedSongs: analyses,
    getCard: (id) => draft?.songs.find((song) => song.song_id === id),
    getPair,
    analyzeMashupCompatibility(songs, weights) {
      const ids = songs.map((song) => song.id);
      const pairs = scores.filter(({ song_pair }) => song_pair.every((id) => ids.includes(id)));
      if (pairs.length === 0) return { score: 0, reasons: [], suggestions: [] };
      const score = Math.round(pairs.reduce((sum, pair) => sum + weigh(pair, weights), 0) / pairs.length);
      return {
        score,
        reasons: [...new Set(pairs.flatMap((pair) => pair.warnings))],
        suggestions: [...new Set(pairs.flatMap((pair) => pair.recommendations))],
      };
    },
  };
}
