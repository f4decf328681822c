import { forwardRef, useImperativeHandle } from 'react';
import { Icon } from '../common/icons.tsx';
import { SeekBar } from './SeekBar.tsx';
import { useAudioPlayer } from './useAudioPlayer.ts';

/** What other components may ask of a player. */
export interface PlayerHandle {
  seek(seconds: number): void;
}

export interface PlayerProps {
  /** Undefined until the link has been signed. */
  src: string | undefined;
  title: string;
  /** Peaks of the waveform. */
  peaks: readonly number[];
  durationSec: number;
  /** Receives the position in seconds. */
  onTime?: (seconds: number) => void;
  /** Called when the file cannot be played: its link may have expired. */
  onBroken?: () => void;
}

/**
 * Plays one file. A new `src` continues at the same position, so that versions can be compared while playing. Its `ref` has
 * `seek(seconds)`.
 */
export const Player = forwardRef<PlayerHandle, PlayerProps>(function Player(
  { src, title, peaks, durationSec, onTime, onBroken },
  ref,
) {
  const { audio, isPlaying, time, seek, toggle, handlers } = useAudioPlayer(src, onTime, onBroken);
  useImperativeHandle(ref, () => ({ seek }));
  return (
    <div className="mashup-ui flex items-center gap-3 sm:gap-5">
      {/* Captions do not apply: the file is music. */}
      <audio ref={audio} preload="metadata" aria-label={title} {...handlers} />
      <button
        type="button"
        className="grid h-14 w-14 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition-opacity hover:opacity-90 disabled:opacity-40"
        onClick={toggle}
        disabled={src === undefined}
        aria-label={isPlaying ? `Pause ${title}` : `Play ${title}`}
      >
        <Icon name={isPlaying ? 'pause' : 'play'} className="h-6 w-6" />
      </button>
      <SeekBar peaks={peaks} time={time} durationSec={durationSec} onSeek={seek} />
    </div>
  );
});
