import { forwardRef, useId, useImperativeHandle, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useMediaSession } from '../../hooks/useMediaSession.ts';
import { usePlayback } from '../../hooks/usePlayback.ts';
import type { LiveAudio, PlayerControls, PlayerStems } from '../../hooks/usePlayback.ts';
import { Icon } from '../common/icons.tsx';
import { MusicText } from '../common/MusicText.tsx';
import { Notice } from '../common/Notice.tsx';
import { KeyHelp } from './KeyHelp.tsx';
import { PlayerButtons } from './PlayerButtons.tsx';
import type { PlayerSection } from './sections.ts';
import { SeekBar } from './SeekBar.tsx';
import { usePlayerActions, usePlayerKeys } from './usePlayerActions.ts';

/** What other components may ask of a player. */
export interface PlayerHandle {
  /** Jumps to a position in seconds. */
  seek(seconds: number): void;
  /** Jumps to a position in seconds, and plays. */
  playFrom(seconds: number): void;
}

export interface PlayerProps {
  /** Link to the file: undefined or empty until it has been signed, null while there is no file. */
  src: string | undefined | null;
  title: string;
  /** Credits, for what the system shows of the player. */
  artist?: string;
  /** Link to a picture, for what the system shows of the player. */
  artwork?: string;
  /** Peaks of the waveform. */
  peaks: readonly number[];
  durationSec: number;
  /** Sections to jump to and to repeat, as `MashupTimeline` takes them. */
  sections?: readonly PlayerSection[];
  /** Whether single keys of the page control it: one player of a page at most. */
  hasKeys?: boolean;
  /** Whether the page can compare it with a studio version, so that the help of the keys says so. Default: it can. */
  hasVersions?: boolean;
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
 * versions can be compared while playing. Its `ref` has `seek(seconds)` and `playFrom(seconds)`.
 */
export const Player = forwardRef<PlayerHandle, PlayerProps>(function Player(props, ref) {
  const {
    src,
    title,
    live,
    stems,
    sections = [],
    hasKeys = false,
    hasVersions = true,
    isAutoPlay = false,
    onTime,
    onBroken,
  } = props;
  const player = usePlayback({ src, live, stems, isAutoPlay, onTime, onBroken });
  const { isPlaying, source, time, loop, loudness } = player;
  const isFile = source === 'file' || source === 'stems';
  const durationSec = isFile ? props.durationSec : player.plannedSec || props.durationSec;
  const actions = usePlayerActions(player, sections, durationSec);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const helpId = useId();
  const help = hasKeys ? { id: helpId, isOpen: isHelpOpen, toggle: () => setHelpOpen(!isHelpOpen) } : undefined;
  usePlayerKeys(hasKeys && source !== undefined, player, actions, () => setHelpOpen(!isHelpOpen));
  useImperativeHandle(ref, () => ({ seek: actions.seek, playFrom: actions.playFrom }));
  const position = useRef(0);
  position.current = time;
  useMediaSession(
    props,
    { isPlaying, position: () => position.current, durationSec, jumps: player.jumps },
    { ...actions, play: player.play, pause: player.pause },
    player.isOwner,
  );
  return (
    <div className="mashup-ui space-y-3">
      <div className="flex items-center gap-3 sm:gap-5">
        {/* Takes the audio elements. Captions do not apply: the sound is music. */}
        <div ref={player.host} hidden />
        <button
          type="button"
          className="mt-3 grid h-14 w-14 shrink-0 place-items-center self-start rounded-full bg-accent text-on-accent transition-opacity hover:opacity-90 disabled:opacity-40"
          onClick={actions.toggle}
          disabled={source === undefined}
          aria-label={isPlaying ? `Pause ${title}` : `Play ${title}`}
        >
          <Icon name={isPlaying ? 'pause' : 'play'} className="h-6 w-6" />
        </button>
        <SeekBar
          peaks={isFile ? props.peaks : player.peaks}
          {...{ time, durationSec, loop }}
          readySec={player.readySec}
          onSeek={actions.seek}
        >
          <PlayerButtons actions={actions} volume={loudness} help={help} />
        </SeekBar>
      </div>
      {help?.isOpen && <KeyHelp id={helpId} hasSections={sections.length > 1} hasVersions={hasVersions} />}
      <PlayerNotes {...props} player={player} />
    </div>
  );
});

/** What the listener should know: the sound waits, the browser wants a press of Play, or the file is another one. */
function PlayerNotes({
  player,
  changes = [],
  liveNote = '',
  placeholder,
}: Pick<PlayerProps, 'changes' | 'liveNote' | 'placeholder'> & { player: PlayerControls }) {
  const { isWaiting, isBlocked, source, hasHeardParts, problem } = player;
  const text =
    isWaiting && source === 'parts'
      ? 'Waiting for the next part. It plays on by itself.'
      : isBlocked
        ? 'The browser does not start sound by itself: press Play.'
        : liveNote;
  if (source === undefined) return placeholder;
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
              <li key={change}>
                <MusicText text={change} />
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}
