/** Deviation of a tone from `hertz` in cents, by the advance of its phase. The tone is nearer than `sampleRate` / 4096 hertz. */
export function toneCents(samples: Float32Array, sampleRate: number, hertz: number): number {
  const size = 8192;
  const hop = 1024;
  const turn = (2 * Math.PI * hertz) / sampleRate;
  const phases: number[] = [];
  for (let from = 0; from + size <= samples.length; from += hop) {
    let [real, imaginary] = [0, 0];
    for (let i = 0; i < size; i++) {
      const value = samples[from + i]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size));
      real += value * Math.cos(turn * (from + i));
      imaginary -= value * Math.sin(turn * (from + i));
    }
    phases.push(Math.atan2(imaginary, real));
  }
  const steps = phases.slice(1).map((phase, i) => phase - phases[i]!);
  const advance = steps.reduce((sum, step) => sum + step - 2 * Math.PI * Math.round(step / (2 * Math.PI)), 0);
  const deviation = ((advance / steps.length) * sampleRate) / (2 * Math.PI * hop);
  return 1200 * Math.log2((hertz + deviation) / hertz);
}
