/** Volume and mute of players, which the browser keeps. */
import { useEffect, useState } from 'react';
import { readStored, writeStored } from '../state/stored.ts';

const STORAGE_KEY = 'mashup-volume';
/** Loudness after a volume of 0 is unmuted. */
const DEFAULT_VOLUME = 1;

interface Loudness {
  /** 0..1 */
  volume: number;
  isMuted: boolean;
}

const isLoudness = (value: unknown): value is Loudness => {
  const { volume, isMuted } = (value ?? {}) as Partial<Loudness>;
  return typeof volume === 'number' && volume >= 0 && volume <= 1 && typeof isMuted === 'boolean';
};

/** Returns the loudness that was chosen last, 0..1: 0 if it is muted. */
export function chosenVolume(): number {
  const { volume, isMuted } = readStored(STORAGE_KEY, { volume: DEFAULT_VOLUME, isMuted: false }, isLoudness);
  return isMuted ? 0 : volume;
}

export interface VolumeChoice {
  /** What is heard, 0..1: 0 while it is muted. */
  volume: number;
  /** Sets the volume, and unmutes. */
  change(volume: number): void;
  toggleMute(): void;
}

/** The volume of a player. @param apply sets it, 0..1 */
export function useVolume(apply: (volume: number) => void): VolumeChoice {
  const [chosen, setChosen] = useState(() =>
    readStored(STORAGE_KEY, { volume: DEFAULT_VOLUME, isMuted: false }, isLoudness),
  );
  const volume = chosen.isMuted ? 0 : chosen.volume;
  // `apply` is a new function on each render.
  useEffect(() => apply(volume), [volume]);
  const choose = (next: Loudness): void => {
    setChosen(next);
    writeStored(STORAGE_KEY, next);
  };
  return {
    volume,
    change: (next) => choose({ volume: next, isMuted: false }),
    toggleMute: () =>
      choose(
        volume > 0
          ? { volume: chosen.volume, isMuted: true }
          : { volume: chosen.volume > 0 ? chosen.volume : DEFAULT_VOLUME, isMuted: false },
      ),
  };
}
