/** Effects that change the spectrum. */
import type { EffectProcess } from './effect-process.ts';
import { applyFilter, applyMovingFilter, type FilterKind } from './filters.ts';

/** Q of two second-order filters in series that form a Butterworth filter of 24 dB per octave. */
const STEEP_Q = [0.541, 1.307];

function fixed(kind: 'low-pass' | 'high-pass'): EffectProcess {
  return (channels, { sampleRate }, param) => {
    for (const q of STEEP_Q) applyFilter(channels, sampleRate, { kind, frequency: param('freq'), q });
    return channels;
  };
}

/** A cut-off that moves from one frequency to the other over the section, at a constant number of octaves per second. */
function sweep(kind: FilterKind): EffectProcess {
  return (channels, { sampleRate, start, end }, param) => {
    const from = param('from');
    const to = param('to');
    const at = (i: number): number => from * (to / from) ** Math.min(1, Math.max(0, (i - start) / (end - start)));
    for (const q of STEEP_Q) applyMovingFilter(channels, sampleRate, { kind, q }, at);
    return channels;
  };
}

const bandPass: EffectProcess = (channels, { sampleRate }, param) => {
  applyFilter(channels, sampleRate, { kind: 'band-pass', frequency: param('freq'), q: param('q') });
  return channels;
};

const equalizer: EffectProcess = (channels, { sampleRate }, param) => {
  applyFilter(channels, sampleRate, { kind: 'low-shelf', frequency: 150, gainDb: param('low') });
  applyFilter(channels, sampleRate, { kind: 'peak', frequency: 1200, q: 0.7, gainDb: param('mid') });
  applyFilter(channels, sampleRate, { kind: 'high-shelf', frequency: 6000, gainDb: param('high') });
  return channels;
};

/** Effects by their name in the grammar. */
export const filterEffects = {
  lowpass: fixed('low-pass'),
  highpass: fixed('high-pass'),
  bandpass: bandPass,
  lowpass_sweep: sweep('low-pass'),
  highpass_sweep: sweep('high-pass'),
  eq: equalizer,
};
