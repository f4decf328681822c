/** Analyses and pair scores of a job, as the engine has stored them. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { MashupJob } from '@mashup-engine/client';
import type { PairScore, SongAnalysis } from '../../../schema.ts';
import type { Store } from './store.ts';

export interface JobAnalyses {
  /** By song id. */
  analyses: Record<string, SongAnalysis> | null;
  scores: PairScore[] | null;
  /** Limits of the length of a mashup. */
  limits?: { min_length_sec: number; max_length_sec: number };
}

export interface AnalysisState {
  /** The draft that analyses the selected songs now. */
  draft: MashupJob | undefined;
  /** Analyses of all songs so far, by song id. */
  analyses: Map<string, SongAnalysis>;
  /** Pair scores of the draft. */
  scores: PairScore[];
}

/**
 * Reads the analyses and pair scores of one of the user's jobs.
 * @throws PostgrestError
 */
export async function readAnalyses(supabase: SupabaseClient, jobId: string): Promise<JobAnalyses> {
  const { data, error } = await supabase.rpc('get_mashup_analyses', { job_id: jobId });
  if (error) throw error;
  return data as JobAnalyses;
}

/** Returns a function that reads the analyses of a draft into `store` whenever its row shows new ones. */
export function createAnalysisReader(
  supabase: SupabaseClient,
  store: Store<AnalysisState>,
): (job: MashupJob) => Promise<void> {
  let lastRead = '';
  return async (job) => {
    const state = `${job.id} ${job.stage} ${job.songs.map((song) => song.analysisId ?? '-').join()}`;
    if (state === lastRead) return;
    lastRead = state;
    if (!job.songs.some((song) => song.analysisId !== undefined)) return;
    const read = await readAnalyses(supabase, job.id).catch(() => undefined);
    if (read === undefined) {
      lastRead = '';
      return;
    }
    const analyses = new Map(store.get().analyses);
    for (const [id, analysis] of Object.entries(read.analyses ?? {})) analyses.set(id, analysis);
    store.set({ analyses, ...(store.get().draft?.id === job.id ? { scores: read.scores ?? [] } : {}) });
  };
}
