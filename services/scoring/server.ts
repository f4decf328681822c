/** `POST /calculate-mashability`: the contract's scores, bounded, and the best phrases of the pair as extra members. */
import type { Server } from 'node:http';
import { matchPhrases } from '../../music/scoring/phrases.ts';
import { scoreAnalyses } from '../../music/scoring/scoring.ts';
import { ScoringRequest, SongAnalysis, type AnalyzedSong, type PhraseMatch } from '../../schema.ts';
import { createServiceServer } from '../http/http.ts';

const SCORING_VERSION = '1.0.0';
/** Two complete analyses of long songs with their beat-synchronous features. */
const BODY_LIMIT_BYTES = 24 * 1024 * 1024;

/** Makes the scoring service's server, not yet listening. */
export function createScoringServer(): Server {
  return createServiceServer({
    service: 'scoring',
    version: SCORING_VERSION,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    routes: { 'POST /calculate-mashability': ({ body }) => answerFor(ScoringRequest.parse(body)) },
  });
}

function answerFor({ song1_analysis, song2_analysis, user_weights }: ScoringRequest): Record<string, unknown> {
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

/** Phrases need beats and chroma, which only complete analyses have; without them there are none. */
function phrasesOf(first: unknown, second: unknown, firstId: string, secondId: string): PhraseMatch[] {
  const a = SongAnalysis.safeParse(first);
  const b = SongAnalysis.safeParse(second);
  if (!a.success || !b.success) return [];
  const song = (song_id: string, analysis: SongAnalysis): AnalyzedSong => ({ song_id, name: '', artist: '', analysis });
  const [x, y] = [song(firstId, a.data), song(secondId, b.data)];
  return [...matchPhrases(x, y), ...matchPhrases(y, x)].sort((p, q) => q.similarity - p.similarity);
}
