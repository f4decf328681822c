/** Analyses of songs, as the engine has stored them. The browser analyses nothing. */
import { useCallback } from 'react';
import type { JobSong } from '@mashup-engine/client';
import type { PairScore, SongAnalysis } from '../../../schema.ts';
import type { StudioSong } from '../state/songs.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

/** How well songs fit together, as texts. */
export interface Compatibility {
  /** 0..100, rounded. */
  score: number;
  reasons: string[];
  suggestions: string[];
}

export interface AudioAnalysis {
  isAnalyzing: boolean;
  /** Resolves when the engine has analysed the song; to null if it cannot. Selected songs are analysed in any case. */
  analyzeSong(song: Pick<StudioSong, 'id'> & Partial<StudioSong>): Promise<SongAnalysis | null>;
  getAnalysis(id: string): SongAnalysis | undefined;
  analyzedSongs: Map<string, SongAnalysis>;
  analyzeMashupCompatibility(songs: { id: string }[], weights?: Weights): Compatibility;
  /** The song in the draft's row: its state, and first values before the whole analysis has been read. */
  getCard(id: string): JobSong | undefined;
  /** The score of two songs, by their ids. */
  getPair(a: string, b: string): PairScore | undefined;
}

const DIMENSIONS = ['harmonic', 'rhythmic', 'spectral', 'vocal'] as const;
/** Names of the existing hook's weights, by the dimension that they belong to. */
const OLDER_NAMES = {
  harmonic: ['key'],
  rhythmic: ['bpm', 'rhythm'],
  spectral: [],
  vocal: ['energy'],
} as const satisfies Record<(typeof DIMENSIONS)[number], readonly string[]>;

type WeightName = (typeof DIMENSIONS)[number] | 'key' | 'bpm' | 'rhythm' | 'energy';
/** Weights by dimension, or by the existing hook's names. Their sum need not be one. */
type Weights = Partial<Record<WeightName, number>>;

/** A pair's score with other weights than the engine's. */
function weightedScore(pair: PairScore, weights: Weights = {}): number {
  const given = DIMENSIONS.map((name) => ({
    score: pair.dimension_scores[name],
    weight: [name, ...OLDER_NAMES[name]].reduce((sum, one) => sum + (weights[one] ?? 0), 0),
  }));
  const total = given.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return pair.score;
  return given.reduce((sum, { score, weight }) => sum + score * weight, 0) / total;
}

/** Analyses and scores of the selected songs. It has the signature of the existing frontend's hook. */
export function useAudioAnalysis(): AudioAnalysis {
  const { selection } = useStudio();
  const { draft, analyses, scores, uploads } = useStore(selection);

  const analyzeSong = useCallback(
    (song: Pick<StudioSong, 'id'> & Partial<StudioSong>): Promise<SongAnalysis | null> => {
      const known = selection.get().analyses.get(song.id);
      if (known !== undefined) return Promise.resolve(known);
      if (!selection.get().uploads.has(song.id)) selection.select([{ name: 'Untitled', artist: '', ...song }]);
      return new Promise((resolve) => {
        const check = (): void => {
          const state = selection.get();
          const found = state.analyses.get(song.id);
          const card = state.draft?.songs.find((one) => one.songId === song.id);
          const hasFailed =
            state.uploads.get(song.id)?.problem !== undefined || card?.state === 'failed' || card?.state === 'excluded';
          if (found === undefined && !hasFailed) return;
          stop();
          resolve(found ?? null);
        };
        const stop = selection.subscribe(check);
        check();
      });
    },
    [selection],
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
    getCard: (id) => draft?.songs.find((song) => song.songId === id),
    getPair,
    analyzeMashupCompatibility(songs, weights) {
      const ids = songs.map((song) => song.id);
      const pairs = scores.filter(({ song_pair }) => song_pair.every((id) => ids.includes(id)));
      if (pairs.length === 0) return { score: 0, reasons: [], suggestions: [] };
      const score = Math.round(pairs.reduce((sum, pair) => sum + weightedScore(pair, weights), 0) / pairs.length);
      return {
        score,
        reasons: [...new Set(pairs.flatMap((pair) => pair.warnings))],
        suggestions: [...new Set(pairs.flatMap((pair) => pair.recommendations))],
      };
    },
  };
}
