/** Tempi. A song may be read at half or double tempo before it is stretched. */

/** Multiples of a song's tempo at which its beat remains a beat. */
const TEMPO_MULTIPLES = [1, 0.5, 2] as const;
/** Larger changes of tempo are audible to an attentive listener. */
export const COMFORTABLE_TEMPO_CHANGE = 0.08;
/** Larger changes of tempo are audible to everyone. */
export const AUDIBLE_TEMPO_CHANGE = 0.12;

/** How a song is brought to a target tempo. */
export type TempoMatch = {
  /** 0.5, 1 or 2: the song's tempo is read as `bpm * multiple`. */
  multiple: number;
  /** Playback rate: above 1 is faster. */
  rate: number;
};

/** Returns the reading of a song's tempo that needs the least stretch. If a tempo is unknown (0), the rate is 1. */
export function matchTempo(bpm: number, targetBpm: number): TempoMatch {
  if (!(bpm > 0) || !(targetBpm > 0)) return { multiple: 1, rate: 1 };
  let best: TempoMatch = { multiple: 1, rate: targetBpm / bpm };
  for (const multiple of TEMPO_MULTIPLES) {
    const rate = targetBpm / (bpm * multiple);
    if (Math.abs(Math.log(rate)) < Math.abs(Math.log(best.rate)) - 1e-9) best = { multiple, rate };
  }
  return best;
}

/** Returns the ratio of two tempi, 0..1, after reading one at half or double tempo if nearer; 0.5 if one is unknown. */
export function tempoRatio(a: number, b: number): number {
  if (!(a > 0) || !(b > 0)) return 0.5;
  const { rate } = matchTempo(a, b);
  return Math.min(rate, 1 / rate);
}

/** Whether a song can be stretched to a tempo without a change that everyone hears. */
export function canMatchTempo(bpm: number, targetBpm: number): boolean {
  return tempoChange(bpm, targetBpm) <= AUDIBLE_TEMPO_CHANGE + 1e-9;
}

/** Returns the change of tempo as a share: 0.08 for a rate of 1.08 and for 1/1.08. */
export function tempoChange(bpm: number, targetBpm: number): number {
  const { rate } = matchTempo(bpm, targetBpm);
  return Math.max(rate, 1 / rate) - 1;
}
