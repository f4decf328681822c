/** The stems of a mashup with what the listener has set: muted, alone, how loud. */
import type { PlayableAudio } from '@mashup-engine/client';
import { createStore } from '../../state/store.ts';
import type { Store } from '../../state/store.ts';

/** One stem of one song, as long as the mashup. */
export interface StemFile {
  songId: string;
  stem: string;
  /** Folder of its parts in the bucket. */
  path: string;
}

/** The stems of a mashup. They have parts of the same lengths, and sum to the mashup. */
export interface PlayableStems extends Omit<PlayableAudio, 'path'> {
  /** Level of the files against their level in the mashup. */
  levelDb: number;
  files: StemFile[];
}

/** What the listener has set for a stem. */
export interface Channel {
  isMuted: boolean;
  /** Whether it is among those that are heard alone. */
  isSolo: boolean;
  /** Level in decibels, {@link MIN_DB} to {@link MAX_DB}; the lowest is silence. */
  levelDb: number;
}

export const MIN_DB = -40;
export const MAX_DB = 6;
const UNCHANGED: Channel = { isMuted: false, isSolo: false, levelDb: 0 };

/** The stems of a mashup and their channels. Decks and mixers share it, so that what was set stays when one of them is replaced. */
export class StemMix {
  readonly stems: PlayableStems;
  /** A channel for each file of the stems. */
  readonly state: Store<{ channels: readonly Channel[] }>;

  constructor(stems: PlayableStems) {
    this.stems = stems;
    this.state = createStore<{ channels: readonly Channel[] }>({ channels: stems.files.map(() => UNCHANGED) });
  }

  /** Changes the channel of a file. */
  change(file: StemFile, change: Partial<Channel>): void {
    const index = this.stems.files.indexOf(file);
    const channels = this.state.get().channels.map((one, i) => (i === index ? { ...one, ...change } : one));
    this.state.set({ channels });
  }

  /** Plays all stems as they are in the mashup. */
  reset(): void {
    this.state.set({ channels: this.stems.files.map(() => UNCHANGED) });
  }
}

/** Whether a stem is heard as it is in the mashup. */
export const isUnchanged = ({ isMuted, isSolo, levelDb }: Channel): boolean => !isMuted && !isSolo && levelDb === 0;

/** The factors by which stems are played. While some are alone, others are silent; what is muted stays so. */
export function gainsOf(channels: readonly Channel[]): number[] {
  const isAnySolo = channels.some(({ isSolo }) => isSolo);
  return channels.map(({ isMuted, isSolo, levelDb }) => {
    const isSilent = isMuted || (isAnySolo && !isSolo) || levelDb <= MIN_DB;
    return isSilent ? 0 : 10 ** (Math.min(MAX_DB, levelDb) / 20);
  });
}
