/** Silence at the ends of a file, and the balance of its sides. */

/** Length of the windows in which levels are measured, in seconds. */
const WINDOW_SEC = 0.1;
/** A window below this mean power of the louder channel is silent: -50 dBFS, 36 dB below the target loudness. A choice. */
const SILENT_POWER = 1e-5;
/** Power that takes the place of none: -100 dBFS. */
const LEAST_POWER = 1e-10;

export type EndsMeasurement = {
  /** Seconds before the first sound; the whole length of a silent file. */
  silence_start_sec: number;
  /** Seconds after the last sound; the whole length of a silent file. */
  silence_end_sec: number;
  /** Level of the louder channel above the quieter one, in dB. 0 for one channel. */
  side_balance_db: number;
};

/** Measures the ends and the sides. Times are multiples of a tenth of a second. */
export function measureEnds(channels: readonly Float32Array[], sampleRate: number): EndsMeasurement {
  const length = channels[0]?.length ?? 0;
  const window = Math.round(WINDOW_SEC * sampleRate);
  const totals = channels.map(() => 0);
  let first = length;
  let last = 0;
  for (let from = 0; from < length; from += window) {
    const to = Math.min(length, from + window);
    let loudest = 0;
    channels.forEach((samples, c) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += samples[i]! * samples[i]!;
      totals[c]! += sum;
      loudest = Math.max(loudest, sum / (to - from));
    });
    if (loudest < SILENT_POWER) continue;
    first = Math.min(first, from);
    last = to;
  }
  const powers = totals.map((sum) => Math.max(LEAST_POWER, sum / Math.max(1, length)));
  return {
    silence_start_sec: first / sampleRate,
    silence_end_sec: (length - last) / sampleRate,
    side_balance_db: powers.length < 2 ? 0 : 10 * Math.log10(Math.max(...powers) / Math.min(...powers)),
  };
}
