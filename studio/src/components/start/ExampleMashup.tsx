import { useState } from 'react';
import { Icon, loadedLater } from '@mashup-engine/react/kit';

const ExamplePlayer = loadedLater(
  () => import('./ExamplePlayer.tsx'),
  <p className="mt-4 min-h-24 text-sm text-soft">Loading…</p>,
);

/** A finished mashup that can be heard before anything is uploaded. Nothing of it is loaded until it is asked for. */
export function ExampleMashup() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <section aria-labelledby="example-mashup" className="panel" data-testid="example">
      <div className="flex items-center gap-4">
        {!isOpen && (
          <button
            type="button"
            className="grid h-12 w-12 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition-opacity hover:opacity-90"
            aria-label="Play the example mashup"
            onClick={() => setIsOpen(true)}
          >
            <Icon name="play" className="h-5 w-5" />
          </button>
        )}
        <div className="min-w-0">
          <h2 id="example-mashup" className="font-semibold">
            Hear a finished mashup
          </h2>
          <p className="text-sm text-soft">Made from two of the example songs below, without a change by hand.</p>
        </div>
      </div>
      {isOpen && <ExamplePlayer />}
    </section>
  );
}
