/** Test signals and measurements. */

/** Decibels to a linear factor. */
export const db = (decibels: number): number => 10 ** (decibels / 20);

/** A sine of `seconds`; `phase` in radians. */
export function sine(hertz: number, seconds: number, sampleRate: number, amplitude: number, phase = 0): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / sampleRate + phase),
  );
}

/** White noise of the linear congruential kind, the same for the same seed. */
export function noise(seconds: number, sampleRate: number, amplitude: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: Math.round(seconds * sampleRate) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * (state / 2 ** 31 - 1);
  });
}

/** A short decaying click at each time (seconds). */
export function clicks(times: readonly number[], seconds: number, sampleRate: number, amplitude = 0.9): Float32Array {
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  for (const time of times) {
    const start = Math.round(time * sampleRate);
    for (let i = 0; i < 400 && start + i < samples.length; i++) {
      samples[start + i]! += amplitude * Math.exp(-i / 60) * Math.sin(i * 0.35);
    }
  }
  return samples;
}

/** Times (seconds) at which the level jumps: peaks of the rise of the high band, at least 120 ms apart. */
export function onsets(samples: Float32Array, sampleRate: number): number[] {
  const hop = Math.round(sampleRate / 1000);
  const levels: number[] = [];
  for (let at = 1; at + hop <= samples.length; at += hop) {
    let sum = 0;
    for (let i = at; i < at + hop; i++) sum += (samples[i]! - samples[i - 1]!) ** 2;
    levels.push(Math.sqrt(sum / hop));
  }
  const threshold = 0.3 * levels.reduce((a, b) => Math.max(a, b), 0);
  const times: number[] = [];
  for (let k = 0; k < levels.length; k++) {
    const at = (k * hop) / sampleRate;
    if (levels[k]! > threshold && at - (times.at(-1) ?? -1) > 0.12) times.push(at);
  }
  return times;
}

/** Frequency between `from` and `to` (Hz) at which the signal is strongest, to a tenth of a hertz. */
export function dominantFrequency(samples: Float32Array, sampleRate: number, from: number, to: number): number {
  const power = (hertz: number): number => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < samples.length; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
      const angle = (2 * Math.PI * hertz * i) / sampleRate;
      re += samples[i]! * window * Math.cos(angle);
      im += samples[i]! * window * Math.sin(angle);
    }
    return re * re + im * im;
  };
  let best = from;
  let width = (to - from) / 2;
  best += width;
  for (let steps = 20; width > 0.05; width /= 8) {
    const centre = best;
    let highest = -1;
    for (let k = -steps; k <= steps; k++) {
      const hertz = centre + (k / steps) * width;
      const value = power(hertz);
      if (value > highest) {
        highest = value;
        best = hertz;
      }
    }
    steps = 8;
  }
  return best;
}
