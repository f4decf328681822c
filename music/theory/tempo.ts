/** Tempi: a song may be read at half or double tempo before it is stretched. */

/** Readings of a song's tempo that keep its beat a beat. */
const TEMPO_MULTIPLES = [1, 0.5, 2] as const;
/** Above this change a stretch is heard by an attentive listener. */
export const COMFORTABLE_TEMPO_CHANGE = 0.08;
/** Above this change a stretch is heard by everyone. */
export const AUDIBLE_TEMPO_CHANGE = 0.12;

export type TempoMatch = {
  /** 0.5, 1 or 2: the song's tempo is read as `bpm * multiple`. */
  multiple: number;
  /** Playback rate that brings the song to the target: above 1 is faster. */
  rate: number;
};

/** The reading of a song's tempo that needs the least stretch to reach the target; an unknown tempo (0) needs none. */
export function matchTempo(bpm: number, targetBpm: number): TempoMatch {
  if (!(bpm > 0) || !(targetBpm > 0)) return { multiple: 1, rate: 1 };
  let best: TempoMatch = { multiple: 1, rate: targetBpm / bpm };
  for (const multiple of TEMPO_MULTIPLES) {
    const rate = targetBpm / (bpm * multiple);
    if (Math.abs(Math.log(rate)) < Math.abs(Math.log(best.rate)) - 1e-9) best = { multiple, rate };
  }
  return best;
}

/** How near two tempi are, 0..1, with half and double tempo considered; 0.5 where one is unknown. */
export function tempoRatio(a: number, b: number): number {
  if (!(a > 0) || !(b > 0)) return 0.5;
  const { rate } = matchTempo(a, b);
  return Math.min(rate, 1 / rate);
}

/** Whether a song can be brought to a tempo without a change of speed that everyone hears. */
export function canMeet(bpm: number, targetBpm: number): boolean {
  return tempoChange(bpm, targetBpm) <= AUDIBLE_TEMPO_CHANGE + 1e-9;
}

/** Change of speed as a share: 0.08 for a rate of 1.08 and of 1/1.08. */
export function tempoChange(bpm: number, targetBpm: number): number {
  const { rate } = matchTempo(bpm, targetBpm);
  return Math.max(rate, 1 / rate) - 1;
}
