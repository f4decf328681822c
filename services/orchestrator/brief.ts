/** Reads the brief of a planning request: `mashup`, or the pairwise body of the contract. */
import { parseSong } from '../../music/scoring/parse-song.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { AnalyzedSong, PlanRequest } from '../../schema.ts';
import type { Brief } from './prompt.ts';

const MAX_SONGS = 3;
const DEFAULT_SEED = 1;

/** Returns `mashup` if present; otherwise builds a brief from the two analyses and `user_preferences.additional_songs`. */
export function briefOf(request: PlanRequest): Brief {
  if (request.mashup) return request.mashup;
  const { user_preferences: preferences } = request;
  const additional: unknown = preferences['additional_songs'];
  const raw: unknown[] = [
    request.song1_analysis,
    request.song2_analysis,
    ...(Array.isArray(additional) ? (additional as unknown[]) : []),
  ];
  const songs = withUniqueIds(raw.slice(0, MAX_SONGS).map((each, index) => parseSong(each, index + 1)));
  const wishes: unknown = preferences['wishes'];
  return {
    songs,
    scores: songs.flatMap((a, index) => songs.slice(index + 1).map((b) => scorePair(a, b))),
    limits: DEFAULT_PLAN_LIMITS,
    seed: DEFAULT_SEED,
    faults: [],
    ...(typeof wishes === 'string' ? { wishes } : {}),
  };
}

/** Gives each later song with a duplicate id an id by its position: plans refer to songs by id. */
function withUniqueIds(songs: AnalyzedSong[]): AnalyzedSong[] {
  return songs.map((song, index) =>
    songs.findIndex((other) => other.song_id === song.song_id) === index
      ? song
      : { ...song, song_id: `song${index + 1}` },
  );
}
