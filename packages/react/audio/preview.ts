/** A sound that is loaded when it is played for the first time: a song before it is part of a mashup. */
import { createStore } from '../state/store.ts';
import type { Store } from '../state/store.ts';
import { leaves, startsToPlay } from './sole-sound.ts';

/** A source of a sound: its link, and what frees it. */
export interface SoundLink {
  url: string;
  close?: () => void;
}
/** Opens a source; undefined if it is not there (yet). */
export type OpenSound = () => Promise<SoundLink | undefined>;

export interface PreviewState {
  /** Whether the listener wants to hear it. */
  isPlaying: boolean;
  /** No source could be played. */
  hasFailed: boolean;
}

export interface Preview extends Store<PreviewState> {
  /** Plays from where it was paused, or pauses. @param sources are tried in this order @param volume 0..1 */
  toggle(sources: readonly OpenSound[], volume: number): Promise<void>;
  /** Ends it. */
  close(): void;
}

/** Creates a preview. Nothing is loaded before it is played; other sounds of the page are paused then. */
export function createPreview(): Preview {
  const store = createStore<PreviewState>({ isPlaying: false, hasFailed: false });
  let audio: HTMLAudioElement | undefined;
  let link: SoundLink | undefined;

  const drop = (): void => {
    const before = audio;
    audio = undefined;
    before?.pause();
    before?.removeAttribute('src');
    link?.close?.();
    link = undefined;
  };
  const pause = (): void => {
    audio?.pause();
    store.set({ isPlaying: false });
  };
  const playSource = async (open: OpenSound, volume: number): Promise<boolean> => {
    const opened = await open().catch(() => undefined);
    if (opened === undefined) return false;
    if (!store.get().isPlaying) {
      opened.close?.();
      return true;
    }
    drop();
    link = opened;
    const element = new Audio(opened.url);
    audio = element;
    // Also at its end, and by a media key.
    element.onpause = () => audio === element && store.set({ isPlaying: false });
    return (await plays(element, volume)) || !store.get().isPlaying;
  };

  return {
    ...store,
    async toggle(sources, volume) {
      if (store.get().isPlaying) return pause();
      store.set({ isPlaying: true, hasFailed: false });
      startsToPlay(pause);
      // A link is valid for an hour; then another one is opened.
      if (audio !== undefined && ((await plays(audio, volume)) || !store.get().isPlaying)) return;
      for (const open of sources) if (await playSource(open, volume)) return;
      drop();
      store.set({ isPlaying: false, hasFailed: true });
    },
    close() {
      pause();
      drop();
      leaves(pause);
    },
  };
}

/** Starts an element. Returns whether it plays. */
async function plays(element: HTMLAudioElement, volume: number): Promise<boolean> {
  element.volume = volume;
  try {
    await element.play();
    return true;
  } catch {
    return false;
  }
}
