import { useState } from 'react';
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import type { ShownMashup } from '../result/useShownMashup.ts';
import { Icon } from '../common/icons.tsx';
import { loadedLater } from '../common/loaded-later.tsx';
import { MashupTimeline } from './MashupTimeline.tsx';

const PlanEditor = loadedLater(() => import('./editor/PlanEditor.tsx'));

interface Props {
  shown: Pick<ShownMashup, 'job' | 'played' | 'live' | 'document'>;
  /** The sections of the plan. */
  sections: MashupSection[];
  /** Position of the player in seconds. */
  time: number;
  onSeek: (seconds: number) => void;
  /** Opens a new version. */
  onOpen: (jobId: string) => void;
}

/** The plan of a mashup over time. That of a complete one can be edited. */
export function PlanTimeline({ shown: { job, played, live, document }, sections, time, onSeek, onOpen }: Props) {
  const [editedId, setEditedId] = useState<string>();
  const plan = document?.plan;
  if (!plan || sections.length === 0) return null;
  const isEditing = played !== undefined && editedId === played.id;
  const open = (jobId: string): void => {
    setEditedId(undefined);
    onOpen(jobId);
  };
  return (
    <section className="panel" aria-label="Timeline">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold">
          {isEditing ? 'Change it by hand' : played === undefined ? 'The plan' : 'How it is made'}
        </h2>
        {played && (
          <button
            type="button"
            className="button"
            aria-expanded={isEditing}
            onClick={() => setEditedId(isEditing ? undefined : played.id)}
          >
            <Icon name={isEditing ? 'close' : 'plan'} />
            {isEditing ? 'Close the editor' : 'Edit'}
          </button>
        )}
      </div>
      {isEditing ? (
        <PlanEditor job={played} plan={plan} onOpen={open} />
      ) : (
        <MashupTimeline
          timeline={sections}
          songs={(played ?? job)?.songs}
          currentTime={played === undefined && live === undefined ? undefined : time}
          onSeek={onSeek}
        />
      )}
    </section>
  );
}
