/** What a link shares, as the function `shared-mashup` returns it. */
import { knownArtist } from '../../../music/names/known-artist.ts';
import { toMashupSections } from '../../../music/plan/timeline.ts';
import type { MashupSection } from '../../../music/plan/timeline.ts';

/** A song of a shared mashup. */
export interface SharedSong {
  /** Stands for the song in the timeline. */
  songId: string;
  name: string;
  /** '' if it is unknown. */
  artist: string;
}

/** A shared mashup. */
export interface SharedMashup {
  title: string;
  songs: SharedSong[];
  durationSec: number;
  bpm: number | undefined;
  /** Key in the form `C# minor` or `Bb major`; '' if it is unknown. */
  key: string;
  /** When the mashup was made, as an ISO string; '' if it is unknown. */
  createdAt: string;
  /** Media type of the file; '' if it is unknown. */
  audioType: string;
  timeline: MashupSection[];
  /** Peaks of the waveform, 0..1. */
  peaks: number[];
}

const UNTITLED = 'Mashup';
/** Descriptions have up to 400 characters. */
const TEXT_LENGTH = 400;
/** The first half of a character whose other half was cut off. */
const HALF_CHARACTER = /[\ud800-\udbff]$/;
/** Control characters, and characters that change the writing direction of the text around them. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g;
const AUDIO_TYPES = new Map([
  ['wav', 'audio/wav'],
  ['flac', 'audio/flac'],
  ['mp3', 'audio/mpeg'],
]);

/** Reads an answer of the function. @returns undefined if it is none */
export function readSharedMashup(body: unknown): SharedMashup | undefined {
  if (!isRecord(body)) return undefined;
  const durationSec = numberOf(body.duration_sec);
  if (durationSec === undefined || durationSec <= 0) return undefined;
  return {
    title: textOf(body.title) || UNTITLED,
    songs: listOf(body.credits).map((song) => ({
      songId: textOf(song.songId),
      name: textOf(song.name),
      artist: knownArtist(textOf(song.artist)),
    })),
    durationSec,
    bpm: numberOf(body.bpm),
    key: textOf(body.key),
    createdAt: Number.isNaN(Date.parse(textOf(body.created_at))) ? '' : textOf(body.created_at),
    audioType: AUDIO_TYPES.get(textOf(body.format)) ?? '',
    timeline: toMashupSections(listOf(body.timeline).map(toPlanSection)),
    peaks: Array.isArray(body.peaks) ? body.peaks.map((peak) => numberOf(peak) ?? 0) : [],
  };
}

type Section = Parameters<typeof toMashupSections>[0][number];

function toPlanSection(section: Record<string, unknown>): Section {
  return { ...section, description: textOf(section.description), layers: listOf(section.layers) } as Section;
}

/** One line of visible text; '' for anything but a string. */
function textOf(value: unknown): string {
  if (typeof value !== 'string') return '';
  return value.replace(INVISIBLE, ' ').replace(/\s+/g, ' ').trim().slice(0, TEXT_LENGTH).replace(HALF_CHARACTER, '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
