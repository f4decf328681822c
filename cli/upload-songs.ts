/** Uploads the songs of `mashup make`, and the stems that are given with them. */
import { Blob } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { SupabaseClient } from '@supabase/supabase-js';
import { uploadSong, uploadStem } from '@mashup-engine/client';
import type { OwnStems, SubmittedSong } from '@mashup-engine/client';
import { findSongFiles, readStems } from './own-stems.ts';
import type { CheckedStem, SongFiles, StemOptions } from './own-stems.ts';
import { OWN_STEM_NAMES } from '../music/theory/stem-texts.ts';
import { checkSongs } from './songs.ts';
import type { CheckedSong } from './songs.ts';

/** A song of the command, read and checked. `isSum`: it has no file of its own, but is the sum of its stems. */
export interface SongToUpload extends CheckedSong {
  stems: CheckedStem[];
  isSum: boolean;
}

/**
 * Reads the songs and the stems that are given with them, and checks them before the mashup is started.
 * @param tell is called with lines on what is taken as what
 * @throws CliError
 */
export async function readSongs(
  paths: readonly string[],
  options: StemOptions,
  { tell, signal }: { tell: (line: string) => void; signal: AbortSignal },
): Promise<SongToUpload[]> {
  const found = await findSongFiles(paths, options, tell);
  // A song that is the sum of its stems is checked by the first of them.
  const checked = await checkSongs(
    found.map(({ song, stems, path }) => song ?? [...stems.values()][0] ?? path),
    signal,
  );
  const songs: SongToUpload[] = [];
  for (const [index, files] of found.entries()) {
    const song = checked[index]!;
    const isFolder = files.song !== files.path;
    const name = isFolder ? basename(files.path) : song.name;
    songs.push({ ...song, name, stems: await readStems(files.stems), isSum: isSum(files) });
  }
  return songs;
}

const isSum = ({ song }: SongFiles): boolean => song === undefined;

/** Uploads the songs. Returns them as they are submitted. @throws MashupClientError */
export async function uploadSongs(
  supabase: SupabaseClient,
  songs: readonly SongToUpload[],
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<SubmittedSong[]> {
  const uploaded: SubmittedSong[] = [];
  for (const { name, artist, fileName, contentType, bytes, stems, isSum: hasNoFile } of songs) {
    signal.throwIfAborted();
    const songId = randomUUID();
    let song: SubmittedSong = { songId, name, artist: artist ?? null };
    if (!hasNoFile) {
      tell(`Uploading ${name}`);
      const body = new Blob([bytes], { type: contentType }) as globalThis.Blob;
      song = await uploadSong(supabase, { fileName, body, name, artist, songId }, { signal });
    }
    const paths: OwnStems = {};
    for (const { stem, fileName: file, contentType: type, bytes: content } of stems) {
      signal.throwIfAborted();
      tell(`Uploading the ${OWN_STEM_NAMES[stem]} of ${name}`);
      const body = new Blob([content], { type }) as globalThis.Blob;
      paths[stem] = await uploadStem(supabase, { songId, stem, fileName: file, body }, { signal });
    }
    uploaded.push(stems.length > 0 ? { ...song, stems: paths } : song);
  }
  return uploaded;
}
