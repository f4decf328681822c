/** The drums of a song in its own time: what its beats can be checked by, even where the mashup leaves its drums out. */
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { EAR_HOP, hearPercussion, type Percussion } from '../measure/onsets.ts';
import { type Run, sourceAt } from '../plan/run.ts';
import type { RenderSong } from './song.ts';
import { readStem, type StemPlace } from '../sound/stem.ts';

/** Null where the song has no drums to speak of. */
export type HeardStrokes = Percussion | null;

/**
 * Hears the strokes of a drum stem.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function hearStrokes(place: StemPlace): Promise<HeardStrokes> {
  const pieces: Float32Array[] = [];
  await readStem(place, ([left, right]) => pieces.push(left.map((value, i) => (value + right[i]!) / 2)));
  const mono = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces.splice(0)) {
    mono.set(piece, at);
    at += piece.length;
  }
  return mono.length < SAMPLE_RATE ? null : hearPercussion(mono, SAMPLE_RATE);
}

/**
 * The strokes of a song as they would sound between two moments of the mashup, along the runs that play it there; silent where
 * none does.
 */
export function strokesAlong(
  strokes: Percussion,
  song: RenderSong,
  parts: readonly { run: Run; start: number; end: number }[],
  span: { start: number; end: number },
): Percussion {
  const perSec = SAMPLE_RATE / EAR_HOP;
  const count = Math.floor((span.end - span.start) * perSec);
  const result: Percussion = {
    kick: new Float32Array(count),
    snare: new Float32Array(count),
    attack: new Float32Array(count),
  };
  for (const { run, start, end } of parts) {
    const last = Math.min(count, Math.floor((end - span.start) * perSec));
    for (let k = Math.max(0, Math.ceil((start - span.start) * perSec)); k < last; k++) {
      const at = sourceAt(run, song, span.start + k / perSec) * perSec;
      const below = Math.floor(at);
      for (const part of ['kick', 'snare', 'attack'] as const) {
        const [x, y] = [strokes[part][below] ?? 0, strokes[part][below + 1] ?? 0];
        result[part][k] = x + (at - below) * (y - x);
      }
    }
  }
  return result;
}
