import { useEffect, useState } from 'react';
import { createPreview } from '../../audio/preview.ts';
import type { OpenSound } from '../../audio/preview.ts';
import { chosenVolume } from '../../hooks/useVolume.ts';
import { useStore } from '../../state/store.ts';
import { Icon } from './icons.tsx';

/** A round button that plays a song alone. It says by its title when the song cannot be played here. */
export function PreviewButton({
  name,
  sources,
  className = 'bg-raised text-accent hover:bg-line',
}: {
  /** Name of the song. */
  name: string;
  /** Where the sound may be, tried in this order when the button is pressed. */
  sources: readonly OpenSound[];
  className?: string;
}) {
  const [preview] = useState(createPreview);
  const { isPlaying, hasFailed } = useStore(preview);
  useEffect(() => () => preview.close(), [preview]);
  const label = `${isPlaying ? 'Pause' : 'Preview'} ${name}`;
  return (
    <span className="shrink-0">
      <button
        type="button"
        className={`grid h-9 w-9 place-items-center rounded-full transition-colors ${className}`}
        aria-label={label}
        title={hasFailed ? 'This browser cannot play the file.' : label}
        onClick={() => void preview.toggle(sources, chosenVolume())}
      >
        <Icon name={hasFailed ? 'warning' : isPlaying ? 'pause' : 'play'} />
      </button>
      <span role="status" className="sr-only">
        {hasFailed ? `This browser cannot play ${name}.` : ''}
      </span>
    </span>
  );
}
