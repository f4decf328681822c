/** Stems of one's own for `mashup make`: which files are given for which song. */
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { stemOfName } from '../music/theory/stem-names.ts';
import { OWN_STEM_NAMES } from '../music/theory/stem-texts.ts';
import { OWN_STEMS, UPLOAD_EXTENSIONS } from '../schema.ts';
import type { OwnStem } from '../schema.ts';
import { CliError, EXIT_USAGE } from './errors.ts';
import { describeSong, readSong } from './songs.ts';
import type { CheckedSong } from './songs.ts';

/** Options of the command: `<song>=<path>`, each as often as wanted. */
export interface StemOptions {
  stems?: string[];
  vocals?: string[];
  instrumental?: string[];
}

/** What is given for one song of the command: its file, unless it is the sum of its stems, and the files of its stems. */
export interface SongFiles {
  path: string;
  song: string | undefined;
  stems: Map<OwnStem, string>;
}

const fault = (message: string, hint: string): CliError => new CliError('bad_stems', message, hint, EXIT_USAGE);

/**
 * Finds the files of the songs of a command. A song that is a folder is given by the stems in it.
 * @param tell is called with a line for each folder: what is taken as what
 * @throws CliError `bad_stems`
 */
export async function findSongFiles(
  paths: readonly string[],
  options: StemOptions,
  tell: (line: string) => void,
): Promise<SongFiles[]> {
  const songs: SongFiles[] = [];
  // One after the other: what is told, and which fault is, follows the order of the songs.
  for (const path of paths) {
    const isStems = await isFolder(path);
    songs.push(isStems ? await readFolder(path, tell, { withMix: true }) : { path, song: path, stems: new Map() });
  }
  for (const [song, folder] of assigned(options.stems, songs, '--stems')) {
    if (!(await isFolder(folder))) throw fault(`${folder} is not a folder.`, 'Give the folder of the stems.');
    const found = await readFolder(folder, tell, { withMix: false });
    for (const [stem, path] of found.stems) give(song, stem, path);
  }
  for (const stem of ['vocals', 'instrumental'] as const)
    for (const [song, path] of assigned(options[stem], songs, `--${stem}`)) give(song, stem, path);
  for (const { path, stems } of songs)
    if (OWN_STEMS.every((stem) => stem === 'vocals' || stems.has(stem)))
      throw fault(`${path} has an instrumental beside all of its parts.`, 'Leave out the instrumental.');
  return songs;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function give({ path, stems }: SongFiles, stem: OwnStem, file: string): void {
  const other = stems.get(stem);
  if (other !== undefined)
    throw fault(
      `${basename(other)} and ${basename(file)} are both ${OWN_STEM_NAMES[stem]} of ${path}.`,
      'Give one file for each stem: mix them down, or rename one.',
    );
  stems.set(stem, file);
}

/** Splits `<song>=<path>`: a song is its number, its path, or its file name. */
function assigned(values: readonly string[] = [], songs: readonly SongFiles[], option: string): [SongFiles, string][] {
  return values.map((value) => {
    const at = value.indexOf('=');
    const [name, path] = [value.slice(0, at), value.slice(at + 1)];
    const named = songs.filter((song, index) =>
      [String(index + 1), song.path, basename(song.path), basename(song.path, extname(song.path))].includes(name),
    );
    if (at > 0 && path !== '' && named.length === 1) return [named[0]!, path];
    throw fault(
      `${option} ${value} does not say for which song it is.`,
      `Write ${option} 1=<path> for the first song, or the name of its file in place of the number.`,
    );
  });
}

/** Reads the stems in a folder. `withMix`: the full mix in it is taken as the song. @throws CliError `bad_stems` */
async function readFolder(
  folder: string,
  tell: (line: string) => void,
  { withMix }: { withMix: boolean },
): Promise<SongFiles> {
  const found: SongFiles = { path: folder, song: undefined, stems: new Map() };
  const ignored: string[] = [];
  const mixes: string[] = [];
  const names = (await readdir(folder)).filter((name) => isAudioName(name)).toSorted();
  for (const name of names) {
    const stem = stemOfName(name);
    if (stem === undefined) ignored.push(name);
    else if (stem === 'song') mixes.push(name);
    else give(found, stem, join(folder, name));
  }
  const taken = [...found.stems].map(([stem, path]) => `${basename(path)} as ${OWN_STEM_NAMES[stem]}`);
  if (withMix && mixes.length > 1)
    throw fault(`${mixes.join(' and ')} are all named as the full mix of ${folder}.`, 'Leave one of them.');
  if (withMix && mixes[0] !== undefined) {
    found.song = join(folder, mixes[0]);
    taken.push(`${mixes[0]} as the full mix`);
  }
  if (taken.length > 0) tell(`Stems in ${folder}: ${taken.join(', ')}`);
  if (ignored.length > 0) tell(`Not used, because the names do not say which stem it is: ${ignored.join(', ')}`);
  if (!withMix && mixes.length > 0) tell(`Not used, because it is a full mix and no stem: ${mixes.join(', ')}`);
  if (found.stems.size > 0) return found;
  throw fault(`${folder} has no stems.`, 'Name the files after what they are, as vocals.wav.');
}

const isAudioName = (name: string): boolean =>
  UPLOAD_EXTENSIONS.some((extension) => name.toLowerCase().endsWith(`.${extension}`)) && !name.startsWith('.');

/** A file of a stem, checked for its format. */
export interface CheckedStem extends Pick<CheckedSong, 'fileName' | 'contentType' | 'bytes'> {
  stem: OwnStem;
}

/** Reads the stems of a song. The service checks how they fit to it. @throws CliError */
export async function readStems(stems: ReadonlyMap<OwnStem, string>): Promise<CheckedStem[]> {
  const read: CheckedStem[] = [];
  for (const [stem, path] of stems) {
    const { fileName, contentType, bytes } = describeSong(path, await readSong(path));
    read.push({ stem, fileName, contentType, bytes });
  }
  return read;
}
