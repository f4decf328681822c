import { useState } from 'react';
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import type { ShownMashup } from '../result/useShownMashup.ts';
import { Icon } from '../common/icons.tsx';
import { loadedLater } from '../common/loaded-later.tsx';
import { useUnsentEdits } from '../../state/unsent-edits.ts';
import { MashupTimeline } from './MashupTimeline.tsx';

const PlanEditor = loadedLater(() => import('./editor/PlanEditor.tsx'));

interface Props {
  shown: Pick<ShownMashup, 'job' | 'played' | 'live' | 'document' | 'versions'>;
  /** The sections of the plan. */
  sections: MashupSection[];
  /** Position of the player in seconds. */
  time: number;
  onSeek: (seconds: number) => void;
  /** Opens a new version. */
  onOpen: (jobId: string) => void;
}

/** The plan of a mashup over time. That of a complete one can be edited. */
export function PlanTimeline({
  shown: { job, played, live, document, versions },
  sections,
  time,
  onSeek,
  onOpen,
}: Props) {
  const [editedId, setEditedId] = useState<string>();
  const hasUnsent = useUnsentEdits();
  const plan = document?.plan;
  if (!plan || sections.length === 0) return null;
  const isEditing = played !== undefined && editedId === played.id;
  const open = (jobId: string): void => {
    setEditedId(undefined);
    onOpen(jobId);
  };
  const edited = versions.findIndex((version) => version.id !== played?.id && hasUnsent(version));
  const resume = (jobId: string): void => {
    setEditedId(jobId);
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
            {isEditing ? 'Close the editor' : hasUnsent(played) ? 'Continue editing' : 'Edit'}
          </button>
        )}
      </div>
      {edited >= 0 && !isEditing && (
        <p className="mb-3 flex flex-wrap items-center gap-x-3 text-sm text-soft" data-testid="unsent-edits">
          Version {edited + 1} has edits of yours that are not rendered.
          <button type="button" className="button" onClick={() => resume(versions[edited]!.id)}>
            Continue editing version {edited + 1}
          </button>
        </p>
      )}
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
