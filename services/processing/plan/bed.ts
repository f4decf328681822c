/** A quiet bed for sections with a pause that the plan did not intend. */
import type { Stem } from '../../../schema.ts';
import { beatIndex } from '../song/beat-grid.ts';
import type { RenderSong } from '../song/song.ts';
import { type Arrangement, stemShift } from './arrangement.ts';
import { type Run, sourceAt } from './run.ts';
import type { Tuning } from './tuning.ts';

/** Level of the bed. */
const BED_DB = -9;
/** Stems that make a bed, best first. */
const BED_STEMS: readonly Stem[] = ['other', 'bass', 'drums'];

/**
 * Adds a quiet bed to a section: another stem of a song that it plays, from the same place. Returns the runs of the bed, which are
 * added to the arrangement; none if the songs of the section have no other stem.
 * @param section index into `arrangement.sections`
 */
export function addBed(
  arrangement: Arrangement,
  section: number,
  songs: ReadonlyMap<string, RenderSong>,
  tuning: Tuning,
): Run[] {
  const slices = arrangement.sections[section]!;
  for (const stem of BED_STEMS) {
    for (const slice of slices) {
      const song = songs.get(slice.songId)!;
      const taken = slices.some((other) => other.songId === slice.songId && other.stem === stem);
      if (taken || song.stems[stem] === undefined) continue;
      const runs = slice.parts.map((part, i): Run => {
        const model = arrangement.runs[part.runId]!;
        return {
          ...model,
          id: arrangement.runs.length + i,
          stem,
          start: part.start,
          end: part.end,
          sourceBeat: beatIndex(song.grid, sourceAt(model, song, part.start)),
          semitones: stemShift(stem, song, tuning),
        };
      });
      arrangement.runs.push(...runs);
      slices.push({
        songId: song.id,
        stem,
        volumeDb: BED_DB,
        effects: [],
        parts: runs.map(({ id, start, end }) => ({ runId: id, start, end })),
        joinsPrevious: false,
        joinsNext: false,
      });
      return runs;
    }
  }
  return [];
}
