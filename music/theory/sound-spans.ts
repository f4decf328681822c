/** Where a song sounds: its length without the silence before, inside and after the music. */

/** Start and end in seconds. */
export type SoundSpan = readonly [fromSec: number, toSec: number];

/** Energy of silence: 36 dB below the loud parts of the song (an energy of 0 is 40 dB below). */
const SILENT_ENERGY = 0.1;
/** Shorter pauses belong to the music. */
const MIN_SILENCE_SEC = 3;
/** A time this close to a span belongs to it: curves have steps of half a second. */
const TOLERANCE_SEC = 0.1;

/**
 * The spans in which a song sounds, in order; at least one.
 * @param curve energy of the song, 0..1; without it the whole song is one span
 * @param options `silence`: largest energy of silence; `pauses`: false if silence between two sounds belongs to the music, as in a
 *   voice alone
 */
export function soundSpans(
  curve: { hop_sec: number; values: readonly number[] } | undefined,
  durationSec: number,
  { silence = SILENT_ENERGY, pauses = true }: { silence?: number; pauses?: boolean } = {},
): SoundSpan[] {
  const spans: [number, number][] = [];
  curve?.values.forEach((energy, step) => {
    const from = step * curve.hop_sec;
    if (energy <= silence || from >= durationSec) return;
    const to = Math.min(durationSec, from + curve.hop_sec);
    const last = spans.at(-1);
    if (last && (!pauses || from - last[1] < MIN_SILENCE_SEC)) last[1] = to;
    else spans.push([from, to]);
  });
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return [[0, durationSec]];
  if (first[0] < MIN_SILENCE_SEC) first[0] = 0;
  if (durationSec - last[1] < MIN_SILENCE_SEC) last[1] = durationSec;
  return spans;
}

/** The span that contains a time or is the next one after it; the last one behind all spans. */
export function spanAt(spans: readonly SoundSpan[], atSec: number): SoundSpan {
  return spans.find(([, to]) => atSec < to - TOLERANCE_SEC) ?? spans.at(-1)!;
}

/** True if a song sounds from one time to another, with pauses that belong to the music. */
export function soundsThroughout(spans: readonly SoundSpan[], fromSec: number, toSec: number): boolean {
  return spans.some(([from, to]) => fromSec >= from - TOLERANCE_SEC && toSec <= to + TOLERANCE_SEC);
}

/** Share, 0..1, of the time between two times in which a song sounds. */
export function soundShare(spans: readonly SoundSpan[], fromSec: number, toSec: number): number {
  const sounding = spans.reduce(
    (sum, [from, to]) => sum + Math.max(0, Math.min(to, toSec) - Math.max(from, fromSec)),
    0,
  );
  return toSec > fromSec ? sounding / (toSec - fromSec) : 0;
}
