/** Results of earlier stages: analyses and scores. */
import type { AnalyzedSong, PairScore } from '../../schema.ts';
import { activeSongs, missingInput } from './context.ts';
import type { TaskContext } from './context.ts';

/** Loads the songs of the job with their analyses, in order. @throws TaskError `missing_input` if an analysis is missing */
export async function loadSongs(context: TaskContext): Promise<AnalyzedSong[]> {
  const cards = activeSongs(context.claim);
  const ids = cards.flatMap((card) => (card.analysis_id === undefined ? [] : [String(card.analysis_id)]));
  const rows =
    ids.length === 0
      ? []
      : await context.db
          .selectFrom('mashup.analyses')
          .select(['id', 'analysis'])
          .where('id', 'in', ids)
          .where('user_id', '=', context.claim.user_id)
          .execute();
  return cards.map((card) => {
    const row = rows.find((candidate) => Number(candidate.id) === card.analysis_id);
    if (!row) throw missingInput(`The analysis of ${card.name} is missing.`, 'Replay the mashup from analyzing.');
    return { song_id: card.song_id, name: card.name, artist: card.artist, analysis: row.analysis };
  });
}

/** Loads the newest pair scores of the job, without excluded songs; empty if there are none. */
export async function loadScores(context: TaskContext): Promise<PairScore[]> {
  const row = await context.db
    .selectFrom('mashup.scores')
    .select('pairs')
    .where('job_id', '=', context.claim.job_id)
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  const ids = new Set(activeSongs(context.claim).map((song) => song.song_id));
  return (row?.pairs ?? []).filter((pair) => pair.song_pair.every((id) => ids.has(id)));
}

/** Returns every pair of songs, the earlier song first. */
export function pairsOf(songs: readonly AnalyzedSong[]): [AnalyzedSong, AnalyzedSong][] {
  return songs.flatMap((first, index) =>
    songs.slice(index + 1).map((second): [AnalyzedSong, AnalyzedSong] => [first, second]),
  );
}
