/** Opens Ogg files: Vorbis, Opus and FLAC, also chained. */
import { AudioError } from '../errors.ts';
import { decodeOggFlac, readOggFlacHead } from './ogg-flac.ts';
import { findOggLinks, measureLink } from './ogg-links.ts';
import type { OggLink } from './ogg-links.ts';
import { decodeOpus, readOpusHead } from './ogg-opus.ts';
import { readOggPages } from './ogg-pages.ts';
import { decodeVorbis, readVorbisHead } from './ogg-vorbis.ts';
import type { OpenedAudio } from './opened-audio.ts';
import { joinParts } from './parts.ts';
import type { Part } from './parts.ts';
import { safeChunks } from './safe-chunks.ts';

/** Files with more than this share of damaged bytes are rejected. */
const MAX_DAMAGED_RATIO = 0.02;
/** Files of which more than this share is missing are rejected. */
const MAX_MISSING_RATIO = 0.02;
/** Files with more streams are damaged: each needs a decoder of its own. */
const MAX_LINKS = 1_000;

function partOf(link: OggLink): Part {
  switch (link.codec) {
    case 'vorbis':
      return { ...readVorbisHead(link.head), decode: () => decodeVorbis(link) };
    case 'opus': {
      const head = readOpusHead(link.head);
      return { ...head, decode: () => decodeOpus(link, head) };
    }
    case 'flac': {
      const head = readOggFlacHead(link.head);
      return { ...head, decode: () => decodeOggFlac(link, head) };
    }
  }
}

/** Length of all streams by their granule positions, and how much of it is missing, in seconds. */
function measure(links: readonly OggLink[], parts: readonly Part[]): { seconds: number; missing: number } {
  const length = { seconds: 0, missing: 0 };
  links.forEach((link, i) => {
    const { samples, missing } = measureLink(link);
    length.seconds += samples / parts[i]!.sampleRate;
    length.missing += missing / parts[i]!.sampleRate;
  });
  return length;
}

/**
 * Opens an Ogg file. Streams that follow one another are joined.
 * @throws AudioError if it is damaged, if its end is missing inside a page, or if pages are missing
 */
export function openOgg(bytes: Uint8Array): OpenedAudio {
  const file = readOggPages(bytes);
  const links = findOggLinks(file);
  if (links.length === 0 || links.length > MAX_LINKS)
    throw new AudioError('audio_damaged', 'The header of the Ogg file is invalid.');
  if (file.damagedRatio > MAX_DAMAGED_RATIO) throw new AudioError('audio_damaged', 'Parts of the file are damaged.');
  const isEnded = links.at(-1)!.pages.at(-1)!.isLast;
  if (file.endsInPage && !isEnded) {
    throw new AudioError(
      'audio_truncated',
      'The file is incomplete: it ends in the middle of a page of the Ogg format.',
    );
  }
  const parts = links.map(partOf);
  const { seconds, missing } = measure(links, parts);
  if (missing > MAX_MISSING_RATIO * seconds) {
    const percent = Math.ceil((100 * missing) / seconds);
    throw new AudioError(
      'audio_truncated',
      `The file is incomplete: ${percent} % of the song is missing in its middle.`,
    );
  }
  const joined = joinParts(parts);
  return {
    ...joined,
    chunks: safeChunks(joined.chunks),
    declaredSamples: Math.round(seconds * joined.sampleRate),
    expectedSamples: null,
    warnings: isEnded ? [] : ['The Ogg file has no mark at its end: its end may be missing.'],
  };
}
