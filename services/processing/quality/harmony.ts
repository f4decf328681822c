/** How well each voice fits the notes of other songs under it. */
import { CHROMA_HOP, PITCH_CLASSES, profileCorrelation } from '../measure/chroma.ts';
import { LEVEL_HOP } from '../measure/layer.ts';
import { check } from './checks.ts';
import type { MeasuredSection } from './measured-section.ts';

/** A voice below this level (dBFS RMS) does not sing. */
export const ACTIVE_VOICE_DB = -40;
/** Two correlations of pitch classes that differ by less than this sound equal. A choice. */
const EQUAL_FIT = 0.03;

/** Adds the rows of `chroma` in which the voice is active to `profile`. */
function addSung(profile: number[], chroma: Float32Array, voiceLevels: Float32Array): void {
  for (let row = 0; row < chroma.length / PITCH_CLASSES; row++) {
    const step = Math.floor((row * CHROMA_HOP + CHROMA_HOP / 2) / LEVEL_HOP);
    const level = voiceLevels[Math.min(voiceLevels.length - 1, step)];
    if (level === undefined || level < ACTIVE_VOICE_DB) continue;
    for (let pitch = 0; pitch < PITCH_CLASSES; pitch++) profile[pitch]! += chroma[row * PITCH_CLASSES + pitch]!;
  }
}

/**
 * Measures the harmony of each song that sings over other songs' music: the correlation of its pitch classes with theirs, with the
 * voice transposed up by 0..11 semitones.
 */
export function measureHarmony(sections: readonly Pick<MeasuredSection, 'layers'>[]): Map<string, number[]> {
  const profiles = new Map<string, { voice: number[]; bed: number[] }>();
  for (const { layers } of sections) {
    for (const voice of layers.filter(({ stem }) => stem === 'vocals')) {
      const beds = layers.filter(({ stem, songId, chroma }) => stem !== 'vocals' && songId !== voice.songId && chroma);
      if (beds.length === 0 || !voice.chroma) continue;
      const entry = profiles.get(voice.songId) ?? {
        voice: new Array<number>(PITCH_CLASSES).fill(0),
        bed: new Array<number>(PITCH_CLASSES).fill(0),
      };
      addSung(entry.voice, voice.chroma, voice.levels);
      for (const bed of beds) addSung(entry.bed, bed.chroma!, voice.levels);
      profiles.set(voice.songId, entry);
    }
  }
  const result = new Map<string, number[]>();
  for (const [songId, { voice, bed }] of profiles) {
    if (voice.every((value) => value === 0) || bed.every((value) => value === 0)) continue;
    result.set(
      songId,
      Array.from({ length: PITCH_CLASSES }, (_, raise) => profileCorrelation(voice, bed, raise)),
    );
  }
  return result;
}

/**
 * Rank, from 1, of the current transposition among all twelve. Transpositions that fit only insignificantly better do not count.
 * @param correlations by transposition, as `measureHarmony` returns them
 */
export function transpositionRank(correlations: readonly number[]): number {
  return 1 + correlations.filter((value) => value > correlations[0]! + EQUAL_FIT).length;
}

/** Whether a voice passes the harmony checks, by its correlations as `measureHarmony` returns them. */
export const isInTune = (correlations: readonly number[]): boolean =>
  check('harmony', correlations[0]!).passed && check('harmony_rank', transpositionRank(correlations)).passed;
