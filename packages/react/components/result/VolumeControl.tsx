import { useEffect, useRef, useState } from 'react';
import { Icon } from '../common/icons.tsx';

/** Loudness of a player: a button that mutes it, and a slider where the browser lets a page set the volume. */
export function VolumeControl({ volume, onChange }: { volume: number; onChange: (volume: number) => void }) {
  const [canSet, setCanSet] = useState(true);
  const lastLoud = useRef(1);
  if (volume > 0) lastLoud.current = volume;
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
        onClick={() => onChange(volume === 0 ? lastLoud.current : 0)}
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
          onChange={(event) => onChange(Number(event.target.value))}
          aria-label="Volume"
          aria-valuetext={`${Math.round(volume * 100)} %`}
          className="h-8 w-16 cursor-pointer accent-accent sm:w-24"
        />
      )}
    </span>
  );
}
