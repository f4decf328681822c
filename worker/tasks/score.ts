/** The `score` task: scores every pair with the scoring service, or with the local formula as fallback. */
import type { ScoreTaskResult } from '../../schema/task-results.ts';
import type { AnalyzedSong, PairScore } from '../../schema.ts';
import { matchPhrases } from '../../music/scoring/phrases.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { TaskError } from '../errors.ts';
import { redact } from '../redact.ts';
import { callScore } from '../services/scoring.ts';
import type { TaskContext } from './context.ts';
import { loadSongs, pairsOf } from './task-inputs.ts';

/** Runs the task. Returns the result for `mashup.record_scores`. */
export async function score(context: TaskContext): Promise<ScoreTaskResult> {
  const pairs = pairsOf(await loadSongs(context));
  let reason = 'it was not available';
  let serviceFault: string | undefined;
  if (!context.claim.fallback) {
    try {
      const scores = await scoreByService(context, pairs);
      return { pairs: scores, service_used: true, message: 'The songs are compared' };
    } catch (error) {
      context.signal.throwIfAborted();
      // Retrying does not resolve a permanent fault: fall back at once.
      if (!(error instanceof TaskError) || error.faultClass !== 'permanent') throw error;
      reason = serviceFault = redact(error.message);
    }
  }
  return {
    pairs: pairs.map(([first, second]) => scorePair(first, second)),
    warning: `The songs were compared without the scoring service: ${reason}`,
    service_used: false,
    service_fault: serviceFault,
    message: 'The songs are compared by the local formula',
  };
}

async function scoreByService(context: TaskContext, pairs: [AnalyzedSong, AnalyzedSong][]): Promise<PairScore[]> {
  const { signal, limits, serviceTokens, serviceUrls } = context;
  const options = { signal, timeoutMs: limits.scoreTimeoutMs, token: serviceTokens.scoring };
  const scores: PairScore[] = [];
  for (const [first, second] of pairs) {
    const scored = await callScore(serviceUrls.scoring, first, second, options);
    const phrases = [...matchPhrases(first, second), ...matchPhrases(second, first)];
    scores.push({ ...scored, phrases: phrases.sort((a, b) => b.similarity - a.similarity) });
  }
  return scores;
}
