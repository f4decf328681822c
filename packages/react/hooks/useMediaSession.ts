/** What the system shows of a player, and its media keys (Media Session). */
import { useEffect, useRef } from 'react';

/** Step of media keys that name none, in seconds. */
const STEP_SEC = 10;

export interface MediaInfo {
  title: string;
  /** Credits. */
  artist?: string;
  /** Link to a picture. */
  artwork?: string;
}

/** What media keys do. */
export interface MediaActions {
  play(): void;
  pause(): void;
  /** Goes to a position in seconds. */
  seek(seconds: number): void;
  /** Goes to the section before; without sections undefined. */
  previous: (() => void) | undefined;
  /** Goes to the next section. */
  next: (() => void) | undefined;
}

interface MediaState {
  isPlaying: boolean;
  /** In seconds. */
  position: () => number;
  durationSec: number;
  /** Changes after each jump. */
  jumps: number;
}

const ACTIONS = ['play', 'pause', 'seekto', 'seekbackward', 'seekforward', 'previoustrack', 'nexttrack'] as const;

/** Sets or removes the handler of a media key. Browsers refuse actions that they do not know. */
function handle(name: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    navigator.mediaSession.setActionHandler(name, handler);
  } catch {
    // The other keys work.
  }
}

/**
 * Shows a player to the system while it is the one that played last. Positions are told at each start, pause and jump; the system
 * counts on in between.
 * @param isOwner whether the player is the one that played last
 */
export function useMediaSession(info: MediaInfo, state: MediaState, actions: MediaActions, isOwner: boolean): void {
  const latest = useRef({ state, actions });
  latest.current = { state, actions };
  const isActive = isOwner && 'mediaSession' in navigator;
  const hasSections = actions.next !== undefined;

  useEffect(() => {
    if (!isActive) return;
    const act = (): MediaActions => latest.current.actions;
    const step = (by: number): void => act().seek(Math.max(0, latest.current.state.position() + by));
    handle('play', () => act().play());
    handle('pause', () => act().pause());
    handle('seekto', ({ seekTime }) => seekTime !== undefined && act().seek(seekTime));
    handle('seekbackward', ({ seekOffset }) => step(-(seekOffset || STEP_SEC)));
    handle('seekforward', ({ seekOffset }) => step(seekOffset || STEP_SEC));
    handle('previoustrack', hasSections ? () => act().previous?.() : null);
    handle('nexttrack', hasSections ? () => act().next?.() : null);
    return () => {
      for (const name of ACTIONS) handle(name, null);
      navigator.mediaSession.metadata = null;
      navigator.mediaSession.playbackState = 'none';
    };
  }, [isActive, hasSections]);

  useEffect(() => {
    if (!isActive) return;
    const { title, artist = '', artwork } = info;
    navigator.mediaSession.metadata = new MediaMetadata({
      title,
      artist,
      ...(artwork === undefined ? {} : { artwork: [{ src: artwork }] }),
    });
  }, [isActive, info.title, info.artist, info.artwork]);

  const { isPlaying, durationSec, jumps } = state;
  useEffect(() => {
    if (!isActive) return;
    navigator.mediaSession.playbackState = isPlaying ? 'playing' : 'paused';
    if (!(durationSec > 0)) return;
    const position = Math.min(durationSec, Math.max(0, latest.current.state.position()));
    navigator.mediaSession.setPositionState?.({ duration: durationSec, position, playbackRate: 1 });
  }, [isActive, isPlaying, durationSec, jumps]);
}
