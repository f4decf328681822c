/** Playback of one audio element whose source may change while it plays. */
import { useEffect, useRef, useState } from 'react';
import type { ComponentProps, RefObject } from 'react';

/** Renewals of a link that does not play, before the player gives up. */
const MAX_RENEWALS = 2;
/** Step of the position, in seconds. */
export const SEEK_STEP_SEC = 0.1;

export interface AudioPlayer {
  audio: RefObject<HTMLAudioElement | null>;
  isPlaying: boolean;
  /** Position in seconds. */
  time: number;
  seek(seconds: number): void;
  /** Plays or pauses. */
  toggle(): void;
  /** Event handlers of the audio element. */
  handlers: ComponentProps<'audio'>;
}

/**
 * Plays `src`. A new `src` continues at the same position, so that versions can be compared while playing.
 * @param onTime receives the position in seconds, on each frame while playing
 * @param onBroken called when the source cannot be played: its link may have expired
 */
export function useAudioPlayer(
  src: string | undefined,
  onTime?: (seconds: number) => void,
  onBroken?: () => void,
): AudioPlayer {
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const resume = useRef({ at: 0, play: false });

  const reportTime = (): void => {
    const now = audio.current?.currentTime ?? 0;
    setTime(now);
    onTime?.(now);
  };
  const stop = (): void => setIsPlaying(false);
  useSource(audio, src, resume);
  useEachFrame(isPlaying, reportTime);
  const resumeHandlers = useResume(resume, stop, onBroken);

  return {
    audio,
    isPlaying,
    time,
    seek(seconds) {
      if (!audio.current) return;
      audio.current.currentTime = seconds;
      resume.current.at = seconds;
      reportTime();
    },
    toggle() {
      const element = audio.current;
      if (!element) return;
      if (element.paused) element.play().catch(stop);
      else element.pause();
    },
    handlers: {
      onPlay: () => setIsPlaying(true),
      onPause: stop,
      onEnded: stop,
      onTimeUpdate: reportTime,
      ...resumeHandlers,
    },
  };
}

type ResumePoint = RefObject<{ at: number; play: boolean }>;

/** Loads a new source and notes where the previous one was. */
function useSource(audio: RefObject<HTMLAudioElement | null>, src: string | undefined, resume: ResumePoint): void {
  useEffect(() => {
    const element = audio.current;
    if (!element || src === undefined) return;
    resume.current = { at: element.currentTime || resume.current.at, play: !element.paused };
    element.src = src;
    element.load();
  }, [src]);
}

/** Handlers that continue at the noted position, and ask for a new link if the source does not play. */
function useResume(
  resume: ResumePoint,
  onRefused: () => void,
  onBroken: (() => void) | undefined,
): Pick<ComponentProps<'audio'>, 'onLoadedMetadata' | 'onError'> {
  const renewals = useRef(0);
  return {
    onLoadedMetadata({ currentTarget: element }) {
      renewals.current = 0;
      const { at, play } = resume.current;
      if (at > 0) element.currentTime = Math.min(at, element.duration - SEEK_STEP_SEC);
      if (play) void element.play().catch(onRefused);
    },
    onError() {
      renewals.current += 1;
      if (renewals.current <= MAX_RENEWALS) onBroken?.();
    },
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
  });
}
