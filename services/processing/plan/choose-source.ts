/** Chooses which part of a song a section plays, if the plan does not say. */
import { soundShare } from '../../../music/theory/sound-spans.ts';
import type { Curve, PairScore, PhraseMatch } from '../../../schema.ts';
import { beatTime, nearestIndex } from '../song/beat-grid.ts';
import type { RenderSection } from './plan.ts';
import type { RenderSong } from '../song/song.ts';
import { holdsSpan } from '../song/song-pieces.ts';

/** Weights of the reasons. Choices, made by listening to the shipped songs. */
const WEIGHTS = {
  phrase: 1.0,
  energy: 0.8,
  vocals: 1.4,
  sectionStart: 0.3,
  continues: 0.25,
  used: 0.8,
  runsOut: 2,
  silent: 3,
};

/** A bar, or the drums of a section, sound if they do for more than this share of their time. */
const SOUNDING_SHARE = 0.5;

/** Parts of a song that were played so far, as beat indices, and the beat at which the last one ended. */
export type SongHistory = { played: [number, number][]; nextBeat: number | undefined };

export type SourceRequest = {
  song: RenderSong;
  section: RenderSection;
  /** Length of the section in beats of the song. */
  beats: number;
  history: SongHistory;
  scores: readonly PairScore[];
};

/** Mean of a curve between two times in seconds. */
function meanOf(curve: Curve, from: number, to: number): number {
  const first = Math.max(0, Math.floor(from / curve.hop_sec));
  const last = Math.min(curve.values.length, Math.max(first + 1, Math.ceil(to / curve.hop_sec)));
  let sum = 0;
  for (let i = first; i < last; i++) sum += curve.values[i]!;
  return last > first ? sum / (last - first) : 0;
}

/** Energy of a part of the song, 0..1; undefined if it is not known. */
function energyOf(song: RenderSong, from: number, to: number): number | undefined {
  if (song.energy) return meanOf(song.energy, from, to);
  const covering = song.sections.filter((part) => part.end_sec > from && part.start_sec < to);
  if (covering.length === 0) return undefined;
  return covering.reduce((sum, part) => sum + part.energy, 0) / covering.length;
}

/** Presence of singing in a part of the song, 0..1; undefined if it is not known. */
function singing(song: RenderSong, from: number, to: number): number | undefined {
  if (song.vocals) return meanOf(song.vocals, from, to);
  const covering = song.sections.filter((part) => part.end_sec > from && part.start_sec < to);
  if (covering.length === 0) return undefined;
  return covering.reduce((sum, part) => sum + part.vocal_presence, 0) / covering.length;
}

/** Start times of the best phrases that use this song in its role in the section, with their similarity. */
function phraseStarts(request: SourceRequest): { at: number; similarity: number }[] {
  const { song, section } = request;
  const singer = section.layers.find((layer) => layer.stem === 'vocals')?.songId;
  const others = new Set(section.layers.map((layer) => layer.songId));
  const fits = (phrase: PhraseMatch): boolean =>
    phrase.vocals_song_id === singer &&
    others.has(phrase.bed_song_id) &&
    (phrase.vocals_song_id === song.id || phrase.bed_song_id === song.id);
  return request.scores
    .flatMap((score) => score.phrases)
    .filter(fits)
    .map((phrase) => ({
      at: phrase.vocals_song_id === song.id ? phrase.vocals_start_sec : phrase.bed_start_sec,
      similarity: phrase.similarity,
    }));
}

/**
 * Beat index of the downbeat nearest to second `at` of the song, among those that begin a bar that sounds and have at least a bar of
 * the song after them.
 * @param spans where the song, or its stem, sounds
 */
export function nearestUsableDownbeat(song: RenderSong, at: number, spans = song.sound): number {
  const { beats, downbeats } = song.grid;
  const usable = downbeats.filter((index) => index + song.grid.meter < beats.length);
  const sounding = usable.filter((index) => {
    const from = beats[index]!;
    return soundShare(spans, from, beatTime(song.grid, index + song.grid.meter)) > SOUNDING_SHARE;
  });
  const candidates = sounding.length > 0 ? sounding : usable.length > 0 ? usable : downbeats;
  return candidates[
    nearestIndex(
      candidates.map((index) => beats[index]!),
      at,
    )
  ]!;
}

/**
 * Chooses the beat of the song from which a section plays it. Returns the index of the downbeat with the best weighted sum of phrase
 * match, energy, singing (if the section plays its vocals), not having been played, and starting a part of the song.
 */
export function chooseSourceBeat(request: SourceRequest): number {
  const { song, section, beats, history } = request;
  const { grid } = song;
  const drums = section.layers.some((layer) => layer.stem === 'drums' && layer.songId === song.id);
  const sings = section.layers.some((layer) => layer.stem === 'vocals' && layer.songId === song.id);
  const phrases = phraseStarts(request);
  const partStarts = song.sections.map((part) => nearestUsableDownbeat(song, part.start_sec));

  let best = grid.downbeats[0]!;
  let bestScore = -Infinity;
  for (const start of grid.downbeats) {
    const end = start + beats;
    const from = beatTime(grid, start);
    const to = Math.min(song.durationSec, beatTime(grid, end));
    if (from >= song.durationSec) break;
    const energy = energyOf(song, from, to);
    const voice = sings ? singing(song, from, to) : undefined;
    const phrase = phrases.reduce(
      (most, { at, similarity }) => (Math.abs(at - from) < (0.6 * 60) / grid.bpm ? Math.max(most, similarity) : most),
      0,
    );
    const played = history.played.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, end) - Math.max(a, start)), 0);
    const silent = 1 - soundShare((drums ? song.drumSound : undefined) ?? song.sound, from, to);
    const score =
      WEIGHTS.phrase * phrase +
      WEIGHTS.energy * (energy === undefined ? 0 : 1 - Math.abs(energy - section.energy)) +
      WEIGHTS.vocals * (voice ?? 0) +
      (partStarts.includes(start) ? WEIGHTS.sectionStart : 0) +
      (history.nextBeat === start ? WEIGHTS.continues : 0) -
      WEIGHTS.used * Math.min(1, played / beats) -
      WEIGHTS.silent * silent -
      WEIGHTS.runsOut * Math.max(0, (end - grid.beats.length) / beats);
    if (score > bestScore + 1e-9) {
      best = start;
      bestScore = score;
    }
  }
  return best;
}

/**
 * The beat from which the drums of a song play, if the song plays from `start` for `beats` beats. Drums that rest there are taken from
 * the nearest bar in which they sound, if possible of the parts of the song that were separated: harmony does not bind them to the other
 * stems.
 */
export function soundingDrumsBeat(song: RenderSong, start: number, beats: number): number {
  const { drumSound, grid } = song;
  if (!drumSound) return start;
  const from = beatTime(grid, start);
  const isHeld = (beat: number): boolean =>
    holdsSpan(song.pieces, beatTime(grid, beat), Math.min(song.durationSec, beatTime(grid, beat + beats)));
  // Whether drums rest is not known where they were not separated.
  if (!isHeld(start) || soundShare(drumSound, from, beatTime(grid, start + beats)) > SOUNDING_SHARE) return start;
  const held = grid.downbeats.filter(isHeld);
  const within = held.length > 0 ? { ...song, grid: { ...grid, downbeats: held } } : song;
  return nearestUsableDownbeat(within, from, drumSound);
}
