/** Songs as users select them, and the checks before an upload. */
import { MAX_SONGS, UPLOAD_MAX_BYTES } from '../../../schema/constants.ts';
import { detectFormat } from '../../../audio/decode/detect.ts';
import { unsupportedKind } from '../../../audio/decode/unsupported.ts';
import type { OwnStem } from '@mashup-engine/client';
import type { SongAnalysis } from '../../../schema.ts';
import { nameOfFile } from '../audio/name-of-file.ts';
import { SNIFF_BYTES } from '../audio/sniff.ts';
import type { Problem } from './problem.ts';

/** A song as hooks and components take it: with a file, or with the path of an earlier upload. */
export interface StudioSong {
  /** A UUID, created at selection. */
  id: string;
  name: string;
  artist: string;
  file?: File;
  storage_path?: string;
  /** Stems of the user's own. Another choice of them is a song with another id. */
  own_stems?: StudioStem[];
}

/** A file that is used as a stem of a song: chosen here, or uploaded before. */
export interface StudioStem {
  stem: OwnStem;
  /** Name of the file, as it is shown. */
  name: string;
  file?: File;
  storage_path?: string;
}

/** An analysis as it is shown: the four groups that every analysis service returns, and optional further members. */
export type ShownAnalysis = Pick<SongAnalysis, 'version' | 'harmonic' | 'rhythmic' | 'spectral' | 'vocal'> &
  Partial<SongAnalysis>;

const MEGABYTE = 1024 * 1024;
export const ACCEPTED_FILES = '.mp3,.wav,.aif,.aiff,.aifc,.flac,.ogg,.oga,.opus,.m4a,.aac,audio/*';
export const SONG_COUNT_TEXT = `2 or ${MAX_SONGS} songs`;

/** Checks a file by its size and content before it is uploaded. Returns undefined if it can be used. */
export async function findFileProblem(file: File): Promise<Problem | undefined> {
  if (file.size === 0) {
    return { message: `${file.name} is empty.`, hint: 'Download or export the song again and choose that file.' };
  }
  if (file.size > UPLOAD_MAX_BYTES) {
    return {
      message: `${file.name} has ${Math.round(file.size / MEGABYTE)} MB; the limit is ${UPLOAD_MAX_BYTES / MEGABYTE} MB.`,
      hint: 'Export it as MP3 or Ogg, or shorten it.',
    };
  }
  const head = new Uint8Array(await file.slice(0, SNIFF_BYTES).arrayBuffer());
  if (detectFormat(head) === null) {
    return {
      message: `${file.name} is ${unsupportedKind(head) ?? 'not an audio file'}.`,
      hint: 'Choose an MP3, WAV, AIFF, FLAC, Ogg or M4A file.',
    };
  }
  return undefined;
}

/** Creates a song from a file: its tags or its name give artist and title. */
export async function songFromFile(file: File): Promise<StudioSong> {
  return { id: crypto.randomUUID(), ...(await nameOfFile(file)), file };
}
