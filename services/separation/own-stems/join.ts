/** Joins the stems of a user with those that are taken from the rest of the song. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { StereoChunk } from '../../../audio/decode/decode.ts';
import { STEMS } from '../../../schema.ts';
import type { OwnStem, Stem, StemLayout, TimeRange } from '../../../schema.ts';
import type { StemChunk } from '../block-separator.ts';
import type { SeparationMethod } from '../method.ts';
import { separatePieces } from '../ranges.ts';
import type { PieceChunk } from '../ranges.ts';
import { separateAs } from '../stem-layouts.ts';
import type { AlignedFile } from './aligned-file.ts';
import { needsSeparation } from './recipe.ts';
import type { Recipe } from './recipe.ts';

/** Samples that are read of all files at a time. */
const STEP = 2 ** 15;
/** What was separated of a stem that the user gave is part of the first of these that the user did not give. */
const RECEIVERS: readonly Stem[] = ['other', 'drums', 'vocals', 'bass'];

/** The files of a song: the song itself if there is one, and those of the user. */
export interface OwnFiles {
  song: AlignedFile | undefined;
  files: ReadonlyMap<OwnStem, AlignedFile>;
}

/** Samples of all files at the same time of the song. */
type Step = { song: StereoChunk | undefined; files: ReadonlyMap<OwnStem, StereoChunk>; length: number };

/** Reads all files side by side, as long as the song; without a song as long as the longest. */
async function* readSteps({ song, files }: OwnFiles): AsyncGenerator<Step> {
  const leaders = song ? [song] : [...files.values()];
  for (;;) {
    const ready = await Promise.all(leaders.map((file) => file.ready()));
    const length = Math.min(STEP, ...ready.filter((samples) => samples > 0));
    if (!ready.some((samples) => samples > 0)) break;
    const chunks = new Map<OwnStem, StereoChunk>();
    for (const [name, file] of files) chunks.set(name, await file.read(length));
    yield { song: await song?.read(length), files: chunks, length };
  }
  for (const file of files.values()) await file.finish();
}

/** The parts of consecutive steps that are not separated, until the separation has reached them. */
class Waiting {
  readonly #steps: { at: number; stems: Partial<StemChunk>; length: number }[] = [];
  #end = 0;

  push(stems: Partial<StemChunk>, length: number): void {
    this.#steps.push({ at: this.#end, stems, length });
    this.#end += length;
  }

  /** Copies samples `from` to `from + length`, and forgets what is before them. */
  take(stem: Stem, from: number, length: number): StereoChunk {
    const out: StereoChunk = [new Float32Array(length), new Float32Array(length)];
    for (const { at, stems, length: size } of this.#steps) {
      const chunk = stems[stem];
      const [start, end] = [Math.max(from, at), Math.min(from + length, at + size)];
      if (!chunk || end <= start) continue;
      for (const c of [0, 1] as const) out[c].set(chunk[c].subarray(start - at, end - at), start - from);
    }
    return out;
  }

  forget(before: number): void {
    while (this.#steps[0] && this.#steps[0].at + this.#steps[0].length <= before) this.#steps.shift();
  }
}

/**
 * Returns the four stems of pieces of a song, or of all of it as one piece.
 * @param pieces from `piecesFor`
 */
export async function* joinStems(
  own: OwnFiles,
  recipe: Recipe,
  {
    layout,
    pieces,
    method,
  }: { layout: StemLayout | undefined; pieces: TimeRange[] | undefined; method: SeparationMethod },
): AsyncGenerator<PieceChunk> {
  const waiting = new Waiting();
  const base = async function* (): AsyncGenerator<StereoChunk> {
    for await (const step of readSteps(own)) {
      waiting.push(ownPart(step, recipe), step.length);
      yield baseOf(step, recipe);
    }
  };
  // Without a separation all of the base is one stem, as that of voices alone.
  const isSeparated = needsSeparation(recipe);
  const used = isSeparated ? layout : 'voices_only';
  const separated = pieces ? separatePieces(used, base(), pieces, method) : whole(separateAs(used, base(), { method }));
  let [current, at] = [-1, 0];
  for await (const { piece, stems } of separated) {
    if (piece !== current) at = Math.round((pieces?.[piece]?.start_sec ?? 0) * SAMPLE_RATE);
    current = piece;
    const { length } = stems.vocals[0];
    yield { piece, stems: merge(stems, recipe, isSeparated, (stem) => waiting.take(stem, at, length)) };
    at += length;
    waiting.forget(at);
  }
}

async function* whole(chunks: AsyncIterable<StemChunk>): AsyncGenerator<PieceChunk> {
  for await (const stems of chunks) yield { piece: 0, stems };
}

/** The stems that come from files alone. */
function ownPart({ song, files }: Step, { given, vocalsAreRest }: Recipe): Partial<StemChunk> {
  const stems: Partial<StemChunk> = Object.fromEntries(given.map((stem) => [stem, files.get(stem)]));
  if (vocalsAreRest && song) stems.vocals = without(song, [files.get('instrumental')!]);
  return stems;
}

function baseOf({ song, files, length }: Step, { base, subtracted }: Recipe): StereoChunk {
  const from = base === 'song' ? song : base === 'instrumental' ? files.get('instrumental') : undefined;
  if (!from) return [new Float32Array(length), new Float32Array(length)];
  return without(
    from,
    subtracted.map((stem) => files.get(stem)!),
  );
}

function without(from: StereoChunk, files: readonly StereoChunk[]): StereoChunk {
  const part = (c: 0 | 1): Float32Array => {
    const out = from[c].slice();
    for (const file of files) for (let i = 0; i < out.length; i++) out[i] = out[i]! - file[c][i]!;
    return out;
  };
  return [part(0), part(1)];
}

/**
 * Merges what was separated of the base with the stems of files.
 * @param separated the stems of the base; without a separation all of it is its vocals
 * @param fromFiles returns the samples of a stem that comes from a file; silence for any other
 */
function merge(
  separated: StemChunk,
  { given, base, subtracted, taken }: Recipe,
  isSeparated: boolean,
  fromFiles: (stem: Stem) => StereoChunk,
): StemChunk {
  const isTaken = (stem: Stem): boolean => base !== 'silence' && taken.includes(stem);
  const stems = Object.fromEntries(
    STEMS.map((stem): [Stem, StereoChunk] => {
      if (!isTaken(stem)) return [stem, fromFiles(stem)];
      return [stem, copy(isSeparated ? separated[stem] : separated.vocals)];
    }),
  ) as StemChunk;
  // Of another recording, what was separated of a given stem is that stem again.
  const isWhole = base === 'instrumental' || subtracted.length === given.length;
  const receiver = RECEIVERS.find(isTaken);
  if (isSeparated && isWhole && receiver)
    for (const stem of STEMS) if (!isTaken(stem)) add(stems[receiver], separated[stem]);
  return stems;
}

const copy = ([left, right]: StereoChunk): StereoChunk => [left.slice(), right.slice()];

function add(to: StereoChunk, from: StereoChunk): void {
  for (const c of [0, 1] as const) for (let i = 0; i < to[c].length; i++) to[c][i] = to[c][i]! + from[c][i]!;
}
