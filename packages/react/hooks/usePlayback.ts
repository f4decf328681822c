/** One player of a mashup: of its parts while it is rendered, and of its file. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PlayableAudio } from '@mashup-engine/client';
import type { LoadPart } from '../audio/playback/parts.ts';
import type { OpenStems } from '../audio/playback/track.ts';
import type { LoopRange } from '../audio/playback/loop.ts';
import { Playback } from '../audio/playback/playback.ts';
import type { PlaybackState } from '../audio/playback/playback-state.ts';
import { leaves, soleSound, startsToPlay } from '../audio/sole-sound.ts';
import { useStore } from '../state/store.ts';
import { useVolume } from './useVolume.ts';
import type { VolumeChoice } from './useVolume.ts';

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
  /** Counts the jumps. */
  jumps: number;
  /** Whether it played last of all sounds of the page. */
  isOwner: boolean;
  loudness: VolumeChoice;
  seek(seconds: number): void;
  play(): void;
  pause(): void;
  /** Plays or pauses. */
  toggle(): void;
  /** Repeats a section; undefined: none. */
  setLoop(range: LoopRange | undefined): void;
}

/** Plays parts, then the file at the same position, or its stems. Another file continues there too, so that versions can be compared. */
export function usePlayback({ src, live, stems, isAutoPlay, onTime, onBroken }: PlaybackOptions): PlayerControls {
  const [playback] = useState(() => new Playback());
  const state = useStore(playback.state);
  const [time, setTime] = useState(0);
  const [jumps, setJumps] = useState(0);
  const loudness = useVolume((volume) => playback.setVolume(volume));
  const { pause, isOwner } = useSoleSound(playback, state.isPlaying);
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
  useFrames(state.isPlaying, reportTime);

  return {
    ...state,
    host: useCallback((element: HTMLElement | null) => playback.attach(element), [playback]),
    time,
    jumps,
    isOwner,
    loudness,
    seek(seconds) {
      playback.seek(seconds);
      setJumps((count) => count + 1);
      reportTime();
    },
    play: () => playback.play(),
    pause,
    toggle() {
      if (state.isPlaying) playback.pause();
      else playback.play();
    },
    setLoop: (range) => playback.setLoop(range),
  };
}

/** Pauses other sounds of the page when this one starts to play. */
function useSoleSound(playback: Playback, isPlaying: boolean): { pause: () => void; isOwner: boolean } {
  const pause = useCallback(() => playback.pause(), [playback]);
  useEffect(() => {
    if (isPlaying) startsToPlay(pause);
  }, [isPlaying, pause]);
  useEffect(() => () => leaves(pause), [pause]);
  return { pause, isOwner: useStore(soleSound).pause === pause };
}

/** Time between two frames in which the position is drawn, in milliseconds: 30 a second. All 60 would take twice the processor time. */
const FRAME_MS = 30;

/** Calls `work` on animation frames while active. */
function useFrames(isActive: boolean, work: () => void): void {
  useEffect(() => {
    if (!isActive) return;
    let last = 0;
    let frame = requestAnimationFrame(function step(now) {
      if (now - last >= FRAME_MS) {
        last = now;
        work();
      }
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [isActive, work]);
}
