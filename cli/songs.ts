/** Checks song files before anything is started. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { MAX_SONGS, MIN_SONGS } from '../schema.ts';
import { MAX_FILE_BYTES, openAudio } from '../audio/decode/decode.ts';
import { detectFormat } from '../audio/decode/detect.ts';
import type { AudioFormat } from '../audio/decode/detect.ts';
import { unsupportedKind } from '../audio/decode/unsupported.ts';
import { readNameTags } from '../audio/decode/name-tags.ts';
import { AudioError } from '../audio/errors.ts';
import { songNameOf } from '../music/names/song-name.ts';
import { CliError, EXIT_USAGE } from './errors.ts';

export interface CheckedSong {
  /** File name without extension; the title of `Artist - Title`. */
  name: string;
  artist: string | undefined;
  /** With the extension of the detected format. */
  fileName: string;
  contentType: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const TYPES: Record<AudioFormat, { extension: string; contentType: string }> = {
  mp3: { extension: 'mp3', contentType: 'audio/mpeg' },
  wav: { extension: 'wav', contentType: 'audio/wav' },
  aiff: { extension: 'aiff', contentType: 'audio/aiff' },
  flac: { extension: 'flac', contentType: 'audio/flac' },
  'ogg-flac': { extension: 'ogg', contentType: 'audio/ogg' },
  'ogg-vorbis': { extension: 'ogg', contentType: 'audio/ogg' },
  'ogg-opus': { extension: 'ogg', contentType: 'audio/ogg' },
  m4a: { extension: 'm4a', contentType: 'audio/mp4' },
  aac: { extension: 'aac', contentType: 'audio/aac' },
};
/** Formats of songs in a sentence. */
export const SONG_FORMATS = 'MP3, WAV, AIFF, FLAC, Ogg Vorbis, Opus, M4A, AAC';
/** Decoding these needs ffmpeg, which the services may have and this machine may not: the services check them. */
const CHECKED_BY_SERVICES: readonly AudioFormat[] = ['m4a', 'aac'];

/**
 * Reads the songs and decodes them once, so that faults are found before the mashup is started.
 * @throws CliError with a code and a message for each kind of fault
 */
export async function checkSongs(paths: readonly string[], signal?: AbortSignal): Promise<CheckedSong[]> {
  if (paths.length < MIN_SONGS) {
    throw fault('too_few_songs', 'A mashup needs two or three songs; one given.', 'Add another song.');
  }
  if (paths.length > MAX_SONGS) {
    throw fault(
      'too_many_songs',
      `A mashup takes at most three songs; ${paths.length} given.`,
      `Remove ${paths.length - MAX_SONGS === 1 ? 'one' : 'some'}.`,
    );
  }
  const songs: CheckedSong[] = [];
  const seen = new Map<string, string>();
  // The cheap checks of all files come first.
  for (const path of paths) {
    const bytes = await readSong(path);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const twin = seen.get(hash);
    if (twin !== undefined) {
      const what = twin === path ? `${basename(path)} is given twice.` : `${path} and ${twin} are the same recording.`;
      throw fault('same_song_twice', what, 'Choose two different songs.');
    }
    seen.set(hash, path);
    songs.push(describeSong(path, bytes));
  }
  for (const [index, song] of songs.entries()) await checkSamples(paths[index] ?? song.fileName, song.bytes, signal);
  return songs;
}

/** Reads a file. @throws CliError for a file that is missing, empty, too large or not readable */
export async function readSong(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = basename(path);
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw fault('not_a_file', `${path} is not a file.`, 'Give the path of an audio file.');
    if (stats.size === 0) throw fault('audio_empty', `${name} is empty.`, 'Export or download the song again.');
    if (stats.size > MAX_FILE_BYTES) {
      throw fault(
        'audio_too_large',
        `${name} is ${(stats.size / 2 ** 20).toFixed(0)} MB; at most ${MAX_FILE_BYTES / 2 ** 20} MB are allowed.`,
        'Convert it to MP3 or FLAC, or cut it.',
      );
    }
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw fault('file_missing', `There is no file ${path}.`, 'Check the path.');
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw fault('file_not_readable', `${path} is not readable.`, 'Change the permissions of the file.');
    }
    throw error;
  }
}

/** Describes a song by the name and the content of its file. @throws CliError `audio_unsupported_format` */
export function describeSong(path: string, bytes: Uint8Array<ArrayBuffer>): CheckedSong {
  const format = detectFormat(bytes);
  if (format === null) {
    throw fault(
      'audio_unsupported_format',
      `${basename(path)} is ${unsupportedKind(bytes) ?? 'not a supported audio file'}.`,
      `Use one of these: ${SONG_FORMATS}.`,
    );
  }
  const { extension, contentType } = TYPES[format];
  const stem = basename(path, extname(path));
  const { name, artist } = songNameOf(basename(path), readNameTags(bytes));
  return { name, artist: artist || undefined, fileName: `${stem}.${extension}`, contentType, bytes };
}

/** Decodes a song and discards the samples, to find damage, silence and wrong lengths. */
async function checkSamples(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  const format = detectFormat(bytes);
  if (format === null || CHECKED_BY_SERVICES.includes(format)) return;
  try {
    const { chunks } = openAudio(bytes, { signal });
    for await (const _ of chunks);
  } catch (error) {
    if (error instanceof AudioError) {
      throw new CliError(error.code, `${basename(path)}: ${error.message}`, error.hint, EXIT_USAGE, { cause: error });
    }
    throw error;
  }
}

function fault(code: string, message: string, hint: string): CliError {
  return new CliError(code, message, hint, EXIT_USAGE);
}
