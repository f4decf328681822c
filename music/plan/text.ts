/** Texts of unknown origin, made safe to store and to show. */
import type { AnalyzedSong } from '../../schema.ts';
import { MAX_TEXT_LENGTH } from './limits.ts';

/** Control characters, and characters that change the writing direction of the text around them. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;
/** Unpaired surrogates, which JSON readers and Postgres reject. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Returns one line of text without control characters, truncated to `limit` characters; '' for anything but a string. */
export function cleanText(value: unknown, limit = MAX_TEXT_LENGTH): string {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, limit * 8)
    .replace(INVISIBLE, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, limit)
    .replace(LONE_SURROGATE, '')
    .trim();
}

/**
 * Returns one line of text as `cleanText`, for readers: what is longer than `limit` characters ends at a word, with an ellipsis. A
 * single word is cut where it has to be.
 */
export function shortenText(value: unknown, limit = MAX_TEXT_LENGTH): string {
  const whole = cleanText(value, 2 * limit);
  if (whole.length <= limit) return whole;
  const kept = cleanText(whole, limit - 1);
  const words = /\s/.test(whole.charAt(kept.length)) ? kept : kept.replace(/\s+\S*$/u, '');
  return `${words.replace(/[\s,;:.–-]+$/u, '') || kept}…`;
}

/** Returns the artists in the form `A vs. B`, each once. */
export function creditsOf(songs: readonly AnalyzedSong[]): string {
  const artists = [...new Set(songs.map((song) => cleanText(song.artist, 80)).filter((artist) => artist !== ''))];
  return artists.length > 0 ? artists.join(' vs. ') : 'Unknown artists';
}
