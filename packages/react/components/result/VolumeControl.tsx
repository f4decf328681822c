import { useEffect, useState } from 'react';
import type { VolumeChoice } from '../../hooks/useVolume.ts';
import { Icon } from '../common/icons.tsx';

/** Loudness of a player: a button that mutes it, and a slider where the browser lets a page set the volume. */
export function VolumeControl({ volume, change, toggleMute }: VolumeChoice) {
  const [canSet, setCanSet] = useState(true);
  useEffect(() => {
    const probe = new Audio();
    probe.volume = 0.5;
    setCanSet(probe.volume === 0.5);
  }, []);
  return (
    <span className="flex items-center gap-1">
      <button
        type="button"
        className="grid h-8 w-8 place-items-center rounded-lg hover:bg-raised"
        aria-pressed={volume === 0}
        aria-label="Mute"
        onClick={toggleMute}
      >
        <Icon name={volume === 0 ? 'muted' : 'volume'} />
      </button>
      {canSet && (
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={volume}
          onChange={(event) => change(Number(event.target.value))}
          aria-label="Volume"
          aria-valuetext={`${Math.round(volume * 100)} %`}
          className="h-8 w-14 cursor-pointer accent-accent sm:w-24"
        />
      )}
    </span>
  );
}
