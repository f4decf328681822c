import type { KeyboardEvent, ReactNode } from 'react';
import type { LoopRange } from '../../audio/playback/loop.ts';
import { clock, spokenTime } from '../../texts.ts';
import { Waveform } from '../common/Waveform.tsx';

/** A waveform of which nothing is known. */
const NO_PEAKS = new Array<number>(180).fill(0);
/** Step of the position, in seconds. */
const STEP_SEC = 0.1;
/** Steps of the keyboard, in seconds. */
const KEY_STEPS: Record<string, number> = {
  ArrowLeft: -5,
  ArrowDown: -5,
  ArrowRight: 5,
  ArrowUp: 5,
  PageDown: -15,
  PageUp: 15,
};

/** The position of a player: a slider over the waveform. What has not come yet is hatched. */
export function SeekBar({
  peaks,
  time,
  durationSec,
  readySec = Infinity,
  loop,
  onSeek,
  children,
}: {
  peaks: readonly number[];
  /** Position in seconds. */
  time: number;
  durationSec: number;
  /** How far it can be played, in seconds. */
  readySec?: number;
  /** The section that is repeated. */
  loop?: LoopRange;
  onSeek: (seconds: number) => void;
  /** Controls between position and length; on a phone below them. */
  children?: ReactNode;
}) {
  const ready = durationSec > 0 ? Math.min(1, readySec / durationSec) : readySec > 0 ? 1 : 0;
  return (
    <div className="min-w-0 flex-1">
      <div className="relative rounded-lg outline-2 outline-offset-2 outline-accent has-[:focus-visible]:outline">
        {loop && durationSec > 0 && <LoopBand loop={loop} durationSec={durationSec} />}
        <Waveform
          peaks={peaks.length > 0 ? peaks : NO_PEAKS}
          color="rgb(var(--accent))"
          played={durationSec > 0 ? Math.min(0.9999, time / durationSec) : 0}
          bars={180}
          className="h-20"
        />
        {ready < 1 && (
          <div
            aria-hidden="true"
            data-testid="coming"
            className="coming absolute inset-y-0 right-0 rounded-r-lg border-l-2 border-accent transition-[left] duration-500"
            style={{ left: `${ready * 100}%` }}
          />
        )}
        <PositionSlider
          {...{ time, durationSec, onSeek }}
          readyText={ready < 1 ? `, ready up to ${spokenTime(readySec)}` : ''}
        />
      </div>
      <div className="mt-1 flex min-h-8 flex-wrap items-center gap-x-3 text-xs text-soft">
        <span data-testid="position" className="flex-1">
          {clock(time)}
        </span>
        <span className="order-last -mx-2 flex basis-full items-center justify-between gap-1 sm:order-none sm:mx-0 sm:basis-auto sm:gap-3">
          {children}
        </span>
        <span>{durationSec > 0 ? clock(durationSec) : ''}</span>
      </div>
    </div>
  );
}

/** The section that is repeated. */
function LoopBand({ loop: { startSec, endSec }, durationSec }: { loop: LoopRange; durationSec: number }) {
  return (
    <div
      aria-hidden="true"
      data-testid="loop"
      className="absolute inset-y-0 rounded-md border-x-2 border-accent bg-accent/15"
      style={{
        left: `${(startSec / durationSec) * 100}%`,
        right: `${Math.max(0, 1 - endSec / durationSec) * 100}%`,
      }}
    />
  );
}

function PositionSlider({
  time,
  durationSec,
  readyText,
  onSeek,
}: {
  time: number;
  durationSec: number;
  /** How far it can be played, as text for screen readers. */
  readyText: string;
  onSeek: (seconds: number) => void;
}) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = KEY_STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onSeek(Math.max(0, Math.min(durationSec, time + step)));
  };
  return (
    <input
      type="range"
      min={0}
      max={durationSec || 1}
      step={STEP_SEC}
      value={time}
      onChange={(event) => onSeek(Number(event.target.value))}
      onKeyDown={onKeyDown}
      disabled={durationSec === 0}
      aria-label="Position"
      aria-valuetext={`${spokenTime(time)} of ${spokenTime(durationSec)}${readyText}`}
      className="absolute inset-0 h-full w-full cursor-pointer opacity-0 disabled:cursor-default"
    />
  );
}
