import { useEffect, useImperativeHandle, useRef, useState } from 'react';
import type { Ref } from 'react';
import { clock } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { Waveform } from '../common/Waveform.tsx';

export interface PlayerHandle {
  seek(seconds: number): void;
}

/** Renewals of a link that a broken one is worth, before the player gives up. */
const MAX_RENEWALS = 2;
const SEEK_STEP_SEC = 0.1;

/** Plays one file; another `src` goes on at the same position, so that versions can be compared while playing. */
export function Player({
  src,
  title,
  peaks,
  durationSec,
  onTime,
  onBroken,
  ref,
}: {
  src: string | undefined;
  title: string;
  peaks: readonly number[];
  durationSec: number;
  onTime?: (seconds: number) => void;
  /** The link does not play: it may have ended. */
  onBroken?: () => void;
  ref?: Ref<PlayerHandle>;
}) {
  const audio = useRef<HTMLAudioElement>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const renewals = useRef(0);
  const resume = useRef<{ at: number; play: boolean }>({ at: 0, play: false });

  const tell = (): void => {
    const now = audio.current?.currentTime ?? 0;
    setTime(now);
    onTime?.(now);
  };
  const seek = (seconds: number): void => {
    if (!audio.current) return;
    audio.current.currentTime = seconds;
    resume.current.at = seconds;
    tell();
  };
  useImperativeHandle(ref, () => ({ seek }));

  useEffect(() => {
    const element = audio.current;
    if (!element || src === undefined) return;
    resume.current = { at: element.currentTime || resume.current.at, play: !element.paused };
    element.src = src;
    element.load();
  }, [src]);

  useEffect(() => {
    if (!isPlaying) return;
    let frame = requestAnimationFrame(function step() {
      tell();
      frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  });

  const toggle = (): void => {
    const element = audio.current;
    if (!element) return;
    if (element.paused) element.play().catch(() => setIsPlaying(false));
    else element.pause();
  };

  return (
    <div className="flex items-center gap-3 sm:gap-5">
      {/* Music without words has no captions. */}
      <audio
        ref={audio}
        preload="metadata"
        aria-label={title}
        onPlay={() => setIsPlaying(true)}
        onPause={() => setIsPlaying(false)}
        onEnded={() => setIsPlaying(false)}
        onTimeUpdate={tell}
        onLoadedMetadata={(event) => {
          renewals.current = 0;
          const { at, play } = resume.current;
          if (at > 0) event.currentTarget.currentTime = Math.min(at, event.currentTarget.duration - SEEK_STEP_SEC);
          if (play) void event.currentTarget.play().catch(() => setIsPlaying(false));
        }}
        onError={() => {
          renewals.current += 1;
          if (renewals.current <= MAX_RENEWALS) onBroken?.();
        }}
      />
      <button
        type="button"
        className="grid h-14 w-14 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition-opacity hover:opacity-90 disabled:opacity-40"
        onClick={toggle}
        disabled={src === undefined}
        aria-label={isPlaying ? `Pause ${title}` : `Play ${title}`}
      >
        <Icon name={isPlaying ? 'pause' : 'play'} className="h-6 w-6" />
      </button>
      <div className="min-w-0 flex-1">
        <div className="relative">
          <Waveform
            peaks={peaks.length > 0 ? peaks : [0.1]}
            color="rgb(var(--accent))"
            played={durationSec > 0 ? Math.min(0.9999, time / durationSec) : 0}
            bars={180}
            className="h-20"
          />
          <input
            type="range"
            min={0}
            max={durationSec || 1}
            step={SEEK_STEP_SEC}
            value={time}
            onChange={(event) => seek(Number(event.target.value))}
            aria-label="Position"
            aria-valuetext={`${clock(time)} of ${clock(durationSec)}`}
            className="absolute inset-0 h-full w-full cursor-pointer opacity-0"
          />
        </div>
        <p className="mt-1 flex justify-between text-xs text-soft">
          <span data-testid="position">{clock(time)}</span>
          <span>{clock(durationSec)}</span>
        </p>
      </div>
    </div>
  );
}
