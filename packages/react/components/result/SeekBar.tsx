import { clock } from '../../texts.ts';
import { Waveform } from '../common/Waveform.tsx';
import { SEEK_STEP_SEC } from './useAudioPlayer.ts';

/** The position of a player: a slider over the waveform. */
export function SeekBar({
  peaks,
  time,
  durationSec,
  onSeek,
}: {
  peaks: readonly number[];
  /** Position in seconds. */
  time: number;
  durationSec: number;
  onSeek: (seconds: number) => void;
}) {
  return (
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
          onChange={(event) => onSeek(Number(event.target.value))}
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
  );
}
