/** The existing frontend's types, as in its code. The exported hooks and components must fit them unchanged. */
import type { Dispatch, SetStateAction } from 'react';

export interface ExistingSong {
  id: string;
  name: string;
  artist: string;
  file?: File;
  storage_path?: string;
}

export interface ExistingSection {
  start: number;
  duration: number;
  description: string;
  layers: { stem: string; volume: number; effects?: string[] }[];
}

export interface ExistingResult {
  title: string;
  concept: string;
  audioUrl: string;
  timeline?: ExistingSection[];
}

/** `analysis` in the analysis service's response. */
export interface ExistingAnalysis {
  version: string;
  harmonic: { key: string; key_confidence: number; chord_progression: string[]; chord_complexity: number };
  rhythmic: { bpm: number; beat_confidence: number; groove_stability: number; swing_factor: number };
  spectral: { mfccs: number[][]; dynamic_range: number; brightness: number };
  vocal: { vocal_presence: number };
}

export interface ExistingGenerator {
  generateMashup: (songs: ExistingSong[]) => Promise<unknown>;
  isProcessing: boolean;
  progress: number;
  processingStep: string;
  mashupResult: ExistingResult | null;
  setMashupResult: Dispatch<SetStateAction<ExistingResult | null>>;
  claudePlan: string[];
  claudeThoughts: string;
}

export interface ExistingAnalyzer {
  isAnalyzing: boolean;
  analyzeSong: (song: { id: string; file: File }) => Promise<ExistingAnalysis | null>;
  getAnalysis: (id: string) => ExistingAnalysis | undefined;
  analyzedSongs: Map<string, ExistingAnalysis>;
  analyzeMashupCompatibility: (
    songs: ExistingSong[],
    weights?: { bpm: number; key: number; energy: number; spectral: number; rhythm: number },
  ) => { score: number; reasons: string[]; suggestions: string[] };
}

interface ScoreWeights {
  harmonic: number;
  rhythmic: number;
  spectral: number;
  vocal: number;
}

/** The scoring service's response. */
export interface ExistingMashability {
  overall_score: number;
  dimension_scores: ScoreWeights;
  compatibility_breakdown: Record<keyof ScoreWeights, Record<string, number>>;
  recommendations: string[];
  warnings: string[];
}

/** Props by component. */
export interface ExistingProps {
  MashupZone: {
    selectedSongs: ExistingSong[];
    onRemoveSong: (id: string) => void;
    onClearAll: () => void;
    onSongAdd?: (song: ExistingSong) => void;
    allSongs?: ExistingSong[];
    className?: string;
  };
  TrackAnalysisDisplay: { analysis: ExistingAnalysis };
  MashupTimeline: { timeline: ExistingSection[] };
  ClaudeCollaboration: {
    mashupConcept: string;
    analysisData?: (ExistingAnalysis | undefined)[];
    quickSuggestions?: string[];
    onIterationRequest: (feedback: string) => Promise<void>;
  };
  ClaudeMonitor: { plan: string[]; thoughts: string };
  CompatibilityScore: { score: number; reasons: string[]; suggestions: string[]; className?: string };
  MashabilityDisplay: {
    mashabilityResult: ExistingMashability | null;
    onWeightsChange: (weights: ScoreWeights) => void;
  };
  AudioAnalysisDisplay: {
    features: {
      tempo: number;
      energy: number;
      danceability: number;
      valence: number;
      speechiness: number;
      acousticness: number;
      genre: string;
    };
  };
}
