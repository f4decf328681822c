/** Second correction: other shifts for voices that do not fit, and beat offsets for songs that are misplaced in the metre. */
import { isInTune } from '../quality/harmony.ts';
import type { SongMeasurements } from '../quality/check-layers.ts';
import type { Tuning } from '../plan/tuning.ts';
import type { RenderSong } from '../song/song.ts';
import { type Correction, shiftMessage } from './correction.ts';
import { cheapestTransposition, rotated, type Transposition } from './transposition.ts';

/** Another shift must fit this much better to justify a second render. */
const MIN_GAIN = 0.03;

type SingerTransposition = Transposition & { singer: string };

/** Returns the tuning that should pass the failed checks; undefined if no other shift or beat offset helps. */
export function changeShifts(
  tuning: Tuning,
  measurements: SongMeasurements,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  const messages: string[] = [];
  const semitones = new Map(tuning.semitones);
  const beats = new Map(tuning.beats);
  const transposition = bestTransposition(measurements.harmony, semitones);
  if (transposition)
    for (const id of semitones.keys()) {
      const by = id === transposition.singer ? transposition.voice : transposition.others;
      if (by === 0) continue;
      const before = semitones.get(id)!;
      semitones.set(id, before + by);
      messages.push(shiftMessage(songs.get(id)!.name, before + by, before));
    }
  for (const [id, offset] of measurements.beatOffset) {
    if (offset === 0) continue;
    beats.set(id, (beats.get(id) ?? 0) + offset);
    messages.push(`"${songs.get(id)!.name}" was moved ${beatsText(offset)} to fit the metre.`);
  }
  return messages.length > 0 ? { tuning: { ...tuning, semitones, beats }, messages } : undefined;
}

/** Names an offset by which a song plays earlier: `half a beat earlier`, `1 beat later`. */
function beatsText(offset: number): string {
  const beats = Math.abs(offset);
  const count = beats === 0.5 ? 'half a beat' : `${beats} ${beats === 1 ? 'beat' : 'beats'}`;
  return `${count} ${offset > 0 ? 'earlier' : 'later'}`;
}

/**
 * The transposition with which more voices are in tune than now. If several are equal in that, the one whose worst voice fits best;
 * undefined if none gains enough.
 */
function bestTransposition(
  harmony: ReadonlyMap<string, number[]>,
  semitones: ReadonlyMap<string, number>,
): SingerTransposition | undefined {
  const inTuneNow = [...harmony.values()].filter(isInTune).length;
  let best: (SingerTransposition & { inTune: number; fit: number }) | undefined;
  for (const [singer, correlations] of harmony) {
    if (isInTune(correlations)) continue;
    for (let raise = 1; raise < correlations.length; raise++) {
      const transposition = cheapestTransposition(raise, singer, semitones);
      if (!transposition) continue;
      // With two songs, raising one voice over the other song's notes lowers the other voice over the first song's notes.
      const after = [...harmony].map(([id, values]) =>
        id === singer ? rotated(values, raise) : semitones.size === 2 ? rotated(values, -raise) : values,
      );
      // A shift that does not pass does not justify leaving the key of the plan.
      const inTune = after.filter(isInTune).length;
      if (inTune <= inTuneNow || !isInTune(rotated(correlations, raise))) continue;
      const fit = Math.min(...after.map((values) => values[0]!)) - transposition.cost;
      if (best && (inTune < best.inTune || (inTune === best.inTune && fit <= best.fit))) continue;
      if (correlations[raise]! - transposition.cost > correlations[0]! + MIN_GAIN)
        best = { ...transposition, singer, inTune, fit };
    }
  }
  return best;
}
