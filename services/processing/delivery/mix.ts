/** Mixes the sections of a mashup. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { type Channels, sharedSamples } from '../sound/slice.ts';

/** Below the audible range, and above what loudspeakers cannot reproduce. */
export const SUBSONIC_HZ = 25;
export const LAST_FADE_SEC = 0.02;

export type MixTask = {
  /** `offset` is the sample of the mashup at which the channels begin. */
  sections: { offset: number; channels: Channels }[];
  /** Length of the mashup in samples. */
  frames: number;
};

/** The mix before mastering, and its integrated loudness in LUFS. */
export type Mix = { channels: Channels; loudness: number };

/** Mixes sections to a mashup without rumble. */
export function mixSections({ sections, frames }: MixTask): Mix {
  const mix: Channels = [sharedSamples(frames), sharedSamples(frames)];
  for (const section of sections) addSound(mix, section);
  cleanMix(mix);
  return { channels: mix, loudness: integratedLoudness(mix, SAMPLE_RATE) };
}

/** Adds sound to a mix. `offset` is the sample of the mix at which it begins. */
export function addSound(mix: Channels, { offset, channels }: MixTask['sections'][number]): void {
  for (const c of [0, 1] as const) {
    const target = mix[c];
    const source = channels[c];
    const to = Math.min(source.length, target.length - offset);
    for (let i = Math.max(0, -offset); i < to; i++) target[offset + i]! += source[i]!;
  }
}

/** Fades the end of a mix and removes rumble. Both are linear: the same for the sum of sounds as for each of them. */
export function cleanMix(mix: Channels): void {
  const frames = mix[0].length;
  const fade = Math.min(frames, Math.round(LAST_FADE_SEC * SAMPLE_RATE));
  for (const samples of mix) for (let i = 0; i < fade; i++) samples[frames - 1 - i]! *= i / fade;
  applyFilter(mix, SAMPLE_RATE, { kind: 'high-pass', frequency: SUBSONIC_HZ });
}
