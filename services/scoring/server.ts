/**
 * The scoring service: `POST /calculate-mashability` returns the contract's scores, bounded to their ranges, and the best
 * phrase matches of the pair as extra members.
 */
import type { Server } from 'node:http';
import { matchPhrases } from '../../music/scoring/phrases.ts';
import { scoreAnalyses } from '../../music/scoring/scoring.ts';
import {
  ScoringRequest,
  SongAnalysis,
  type AnalyzedSong,
  type PhraseMatch,
  type ScoringResponse,
} from '../../schema.ts';
import { createServiceApp, createServiceServer, readBody } from '../http/app.ts';

const SCORING_VERSION = '1.0.0';
/** Two complete analyses of long songs with their beat-synchronous features. */
const BODY_LIMIT_BYTES = 24 * 1024 * 1024;

/** Creates the scoring service's HTTP server. It does not listen yet. */
export function createScoringServer(): Server {
  const app = createServiceApp({ service: 'scoring', version: SCORING_VERSION, bodyLimitBytes: BODY_LIMIT_BYTES });
  app.post('/calculate-mashability', async (context) =>
    context.json(scoreRequest(await readBody(context, ScoringRequest))),
  );
  return createServiceServer(app);
}

function scoreRequest({ song1_analysis, song2_analysis, user_weights }: ScoringRequest): ScoringResponse {
  const { score, ...scored } = scoreAnalyses(song1_analysis, song2_analysis, user_weights);
  const first = idOf(song1_analysis, 'song1');
  const second = idOf(song2_analysis, 'song2');
  return {
    overall_score: score,
    ...scored,
    song_pair: [first, second],
    phrases: phrasesOf(song1_analysis, song2_analysis, first, second),
  };
}

function idOf(analysis: Record<string, unknown>, fallback: string): string {
  const id = analysis['song_id'];
  return typeof id === 'string' && id !== '' ? id : fallback;
}

/** Matches phrases in both roles. Phrases need beats and chroma: without two complete analyses the list is empty. */
function phrasesOf(first: unknown, second: unknown, firstId: string, secondId: string): PhraseMatch[] {
  const a = SongAnalysis.safeParse(first);
  const b = SongAnalysis.safeParse(second);
  if (!a.success || !b.success) return [];
  const song = (song_id: string, analysis: SongAnalysis): AnalyzedSong => ({ song_id, name: '', artist: '', analysis });
  const [x, y] = [song(firstId, a.data), song(secondId, b.data)];
  return [...matchPhrases(x, y), ...matchPhrases(y, x)].sort((p, q) => q.similarity - p.similarity);
}
