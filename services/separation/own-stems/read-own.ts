/** Separates a song to which its user gave stems: their files are checked, laid over the song, and joined with what is left of it. */
import { readFile } from 'node:fs/promises';
import { AudioError } from '../../../audio/errors.ts';
import { openAudio } from '../../../audio/decode/decode.ts';
import type { StereoChunk } from '../../../audio/decode/decode.ts';
import { readSong } from '../../../audio/decode/read-song.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { OWN_STEM_NAMES } from '../../../music/theory/stem-texts.ts';
import type { OwnStem } from '../../../schema.ts';
import { AlignedFile } from './aligned-file.ts';
import { fitFile, unify } from './fit.ts';
import type { Fit } from './fit.ts';
import type { OwnFiles } from './join.ts';
import { recipeFor } from './recipe.ts';
import type { Recipe } from './recipe.ts';
import { readSound } from './sound.ts';

/** Paths of the files that a user gave. */
export type OwnPaths = Partial<Record<OwnStem, string>>;

/** A stem may be a short excerpt. */
const LIMITS = { minSec: 1 };
/** Stems without a song start together. Their ends may differ by this. */
const END_TOLERANCE_SEC = 10;

/** The files of a user, how they lie in their song, and what comes of them. */
export interface OwnStemsPlan {
  fits: ReadonlyMap<OwnStem, Fit>;
  recipe: Recipe;
  /** What the user is told, in sentences. */
  warnings: string[];
}

/**
 * Reads the files once, and plans how the stems come about.
 * @param song the bytes of the song; without them the song is the sum of the files
 * @throws AudioError, for files that do not belong to the song with code `own_stems_mismatch`
 */
export async function planOwnStems(song: Uint8Array | undefined, paths: OwnPaths): Promise<OwnStemsPlan> {
  const stems = Object.keys(paths) as OwnStem[];
  const fits = song ? await fitToSong(song, paths) : await fitToEachOther(paths);
  const canSubtract = (stem: OwnStem): boolean => fits.get(stem)?.canSubtract ?? false;
  const recipe = recipeFor(stems, { song: song !== undefined, canSubtract });
  if (recipe.vocalsAreRest && !canSubtract('instrumental'))
    throw new AudioError(
      'own_stems_mismatch',
      'The file given as instrumental is another recording than the song, so that the vocals are not what it lacks.',
      { hint: 'Give the vocals too, or the instrumental as a song of its own.' },
    );
  const other = stems.filter((stem) => song && !canSubtract(stem));
  const warnings = other.map(
    (stem) =>
      `The file given as ${OWN_STEM_NAMES[stem]} is another recording or mix than the song: it is used as it is, and the rest is separated from the song.`,
  );
  return { fits, recipe, warnings };
}

async function fitToSong(song: Uint8Array, paths: OwnPaths): Promise<Map<OwnStem, Fit>> {
  const { result } = await readSong(song, readSound);
  const fits = new Map<OwnStem, Fit>();
  for (const [stem, path] of Object.entries(paths) as [OwnStem, string][]) {
    const sound = await named(stem, async () => readSound(await openFile(path)));
    fits.set(stem, await fitFile(result, sound, stem));
  }
  unify(fits);
  return fits;
}

/** Stems of one song start together, so that only their lengths can tell a wrong one. */
async function fitToEachOther(paths: OwnPaths): Promise<Map<OwnStem, Fit>> {
  const fits = new Map<OwnStem, Fit>();
  const lengths: [OwnStem, number][] = [];
  for (const [stem, path] of Object.entries(paths) as [OwnStem, string][]) {
    let samples = 0;
    await named(stem, async () => {
      for await (const [left] of await openFile(path)) samples += left.length;
    });
    lengths.push([stem, samples / SAMPLE_RATE]);
    fits.set(stem, { shift: 0, gain: 1, strength: 0, canSubtract: true });
  }
  const [longest, longestSec] = lengths.reduce((a, b) => (b[1] > a[1] ? b : a));
  for (const [stem, seconds] of lengths) {
    if (longestSec - seconds > END_TOLERANCE_SEC)
      throw new AudioError(
        'own_stems_mismatch',
        `The file given as ${OWN_STEM_NAMES[stem]} is ${seconds.toFixed(0)} s long and that given as ${OWN_STEM_NAMES[longest]} ${longestSec.toFixed(0)} s.`,
        { hint: 'Export all stems over the same length, or give the song as well.' },
      );
  }
  return fits;
}

/** Opens the files as they lie in the song. The song is given by its chunks. */
export async function openOwnFiles(
  song: AsyncIterable<StereoChunk> | undefined,
  paths: OwnPaths,
  fits: ReadonlyMap<OwnStem, Fit>,
): Promise<OwnFiles> {
  const files = new Map<OwnStem, AlignedFile>();
  for (const [stem, path] of Object.entries(paths) as [OwnStem, string][])
    files.set(stem, new AlignedFile(await openFile(path), fits.get(stem) ?? { shift: 0, gain: 1 }));
  return { song: song && new AlignedFile(song, { shift: 0, gain: 1 }), files };
}

async function openFile(path: string): Promise<AsyncGenerator<StereoChunk>> {
  return openAudio(new Uint8Array(await readFile(path)), { limits: LIMITS }).chunks;
}

/** Says in an error of `read` which file it is about. */
async function named<T>(stem: OwnStem, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
    throw new AudioError(error.code, `The file given as ${OWN_STEM_NAMES[stem]} cannot be used. ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
