/** One player of a mashup: of its parts while it is rendered, and of its file. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PlayableAudio } from '@mashup-engine/client';
import type { LoadPart } from '../audio/playback/parts.ts';
import type { OpenStems } from '../audio/playback/track.ts';
import { Playback } from '../audio/playback/playback.ts';
import type { PlaybackState } from '../audio/playback/playback-state.ts';
import { useStore } from '../state/store.ts';

/** What a mashup offers to listeners while it is rendered. */
export interface LiveAudio {
  /** The parts that have come so far. */
  playable: PlayableAudio;
  /** Downloads a part, repeatedly until it succeeds. @throws MashupClientError `part_gone` */
  load: LoadPart;
}

/** The stems of a mashup, to be played in the place of its file. */
export interface PlayerStems {
  /** Opens the deck that plays them. */
  open: OpenStems;
  /** Told whether the stems are what is heard, and do not wait for their files. */
  onHeard: (isHeard: boolean) => void;
  /** Called when they cannot be played. The file plays on. */
  onFailed: (error: unknown) => void;
}

export interface PlaybackOptions {
  /** Link to the finished file: undefined or empty until it has been signed, null while there is no file. */
  src: string | undefined | null;
  live: LiveAudio | undefined;
  /** Stems that are played in the place of the file. */
  stems?: PlayerStems;
  /** Plays parts as soon as there are any, if the browser allows it. */
  isAutoPlay: boolean;
  /** Receives the position in seconds, on each frame while playing. */
  onTime?: (seconds: number) => void;
  /** Called when the file cannot be played: its link may have expired. */
  onBroken?: () => void;
}

export interface PlayerControls extends PlaybackState {
  /** Takes the media elements. */
  host: (element: HTMLElement | null) => void;
  /** Position in seconds. */
  time: number;
  seek(seconds: number): void;
  /** Plays or pauses. */
  toggle(): void;
  /** 0..1 */
  setVolume(volume: number): void;
}

/** Plays parts, then the file at the same position, or its stems. Another file continues there too, so that versions can be compared. */
export function usePlayback({ src, live, stems, isAutoPlay, onTime, onBroken }: PlaybackOptions): PlayerControls {
  const [playback] = useState(() => new Playback());
  const state = useStore(playback.state);
  const [time, setTime] = useState(0);
  const latest = useRef({ onTime, onBroken });
  latest.current = { onTime, onBroken };

  const reportTime = useCallback((): void => {
    const now = playback.position();
    setTime(now);
    latest.current.onTime?.(now);
  }, [playback]);

  useEffect(() => {
    if (src) playback.setFile(src, () => latest.current.onBroken?.());
    else if (src === null && live !== undefined) playback.setParts(live.playable, live.load);
    else if (src === null) playback.close();
  }, [playback, src, live]);
  const isFile = Boolean(src);
  useEffect(() => {
    if (isFile) playback.setStems(stems?.open, stems?.onFailed);
  }, [playback, stems, isFile]);
  const hasStems = state.source === 'stems' && !state.isWaiting;
  useEffect(() => stems?.onHeard(hasStems), [stems, hasStems]);
  useEffect(() => () => playback.close(), [playback]);
  useEffect(() => {
    if (isAutoPlay && state.source === 'parts') playback.play();
  }, [playback, isAutoPlay, state.source]);
  useEffect(reportTime, [reportTime, state]);
  useEachFrame(state.isPlaying, reportTime);

  return {
    ...state,
    host: useCallback((element: HTMLElement | null) => playback.attach(element), [playback]),
    time,
    seek(seconds) {
      playback.seek(seconds);
      reportTime();
    },
    toggle() {
      if (state.isPlaying) playback.pause();
      else playback.play();
    },
    setVolume: (volume) => playback.setVolume(volume),
  };
}

/** Calls `work` on each animation frame while active. */
function useEachFrame(isActive: boolean, work: () => void): void {
  useEffect(() => {
    if (!isActive) return;
    let frame = requestAnimationFrame(function step() {
      work();
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [isActive, work]);
}
