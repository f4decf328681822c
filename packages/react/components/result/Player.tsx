import { forwardRef, useImperativeHandle } from 'react';
import type { ReactNode } from 'react';
import { usePlayback } from '../../hooks/usePlayback.ts';
import type { LiveAudio, PlayerControls, PlayerStems } from '../../hooks/usePlayback.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { SeekBar } from './SeekBar.tsx';
import { VolumeControl } from './VolumeControl.tsx';

/** What other components may ask of a player. */
export interface PlayerHandle {
  seek(seconds: number): void;
}

export interface PlayerProps {
  /** Link to the file: undefined or empty until it has been signed, null while there is no file. */
  src: string | undefined | null;
  title: string;
  /** Peaks of the waveform. */
  peaks: readonly number[];
  durationSec: number;
  /** Parts that are played while there is no file. The file replaces them at the same position. */
  live?: LiveAudio;
  /** Stems that are played in the place of the file, at the same position. */
  stems?: PlayerStems;
  /** Plays parts as soon as there are any, if the browser allows it. */
  isAutoPlay?: boolean;
  /** What was changed in the file after its parts were published. Who has heard the parts is told. */
  changes?: readonly string[];
  /** Shown below parts while they play. */
  liveNote?: string;
  /** Shown while there is nothing to play. */
  placeholder?: ReactNode;
  /** Receives the position in seconds. */
  onTime?: (seconds: number) => void;
  /** Called when the file cannot be played: its link may have expired. */
  onBroken?: () => void;
}

/**
 * Plays the parts of a mashup while it is rendered, and its file or its stems. A new `src` continues at the same position, so that
 * versions can be compared while playing. Its `ref` has `seek(seconds)`.
 */
export const Player = forwardRef<PlayerHandle, PlayerProps>(function Player(props, ref) {
  const {
    src,
    title,
    live,
    stems,
    isAutoPlay = false,
    changes = [],
    liveNote = '',
    placeholder,
    onTime,
    onBroken,
  } = props;
  const player = usePlayback({ src, live, stems, isAutoPlay, onTime, onBroken });
  const { isPlaying, source, time, seek, toggle } = player;
  useImperativeHandle(ref, () => ({ seek }));
  const isFile = source === 'file' || source === 'stems';
  return (
    <div className="mashup-ui space-y-3">
      <div className="flex items-center gap-3 sm:gap-5">
        {/* Takes the audio elements. Captions do not apply: the sound is music. */}
        <div ref={player.host} hidden />
        <button
          type="button"
          className="grid h-14 w-14 shrink-0 place-items-center self-start rounded-full bg-accent text-on-accent transition-opacity hover:opacity-90 disabled:opacity-40 mt-3"
          onClick={toggle}
          disabled={source === undefined}
          aria-label={isPlaying ? `Pause ${title}` : `Play ${title}`}
        >
          <Icon name={isPlaying ? 'pause' : 'play'} className="h-6 w-6" />
        </button>
        <SeekBar
          peaks={isFile ? props.peaks : player.peaks}
          time={time}
          durationSec={isFile ? props.durationSec : player.plannedSec || props.durationSec}
          readySec={player.readySec}
          onSeek={seek}
        >
          <VolumeControl volume={player.volume} onChange={player.setVolume} />
        </SeekBar>
      </div>
      {source === undefined ? placeholder : <PlayerNotes {...{ player, changes, liveNote }} />}
    </div>
  );
});

/** What the listener should know: the sound waits, the browser wants a press of Play, or the file is another one. */
function PlayerNotes({
  player,
  changes,
  liveNote,
}: {
  player: PlayerControls;
  changes: readonly string[];
  liveNote: string;
}) {
  const { isWaiting, isBlocked, source, hasHeardParts, problem } = player;
  const text =
    isWaiting && source === 'parts'
      ? 'Waiting for the next part. It plays on by itself.'
      : isBlocked
        ? 'The browser does not start sound by itself: press Play.'
        : liveNote;
  const isChanged = source !== 'parts' && hasHeardParts && changes.length > 0;
  return (
    <>
      {source === 'parts' && (
        <p role="status" className="flex min-h-8 items-center text-sm text-soft" data-testid="playback-status">
          {text}
        </p>
      )}
      {problem && <Notice problem={problem} />}
      {isChanged && (
        <Notice
          kind="warn"
          problem={{ message: 'The finished mashup differs from what you heard while it was rendered.', hint: '' }}
        >
          <ul className="mt-1 list-disc space-y-0.5 pl-4">
            {changes.map((change) => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}
