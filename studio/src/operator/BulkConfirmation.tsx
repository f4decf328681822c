import { useEffect, useRef, useState } from 'react';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { JobRow } from './JobRow.tsx';
import type { BulkPreview } from './types.ts';
import type { Bulk, BulkOperation } from './useBulk.ts';

/** From this number of jobs, or of users, the number has to be typed. */
const TYPED_FROM_JOBS = 20;
const TYPED_FROM_USERS = 2;

const countText = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

function question(operation: BulkOperation, { jobs, users }: BulkPreview): string {
  const what = `${countText(jobs, 'job')} of ${countText(users, 'user')}`;
  if (operation.name === 'replay') return `Replay ${what} from ${STAGE_NAMES[operation.stage]}`;
  return `${operation.name === 'retry' ? 'Retry' : 'Cancel'} ${what}`;
}

/** What an operation hits, and the button that runs it: it says the number, which has to be typed where many are hit. */
export function BulkConfirmation({ bulk: { operation, preview, run, reset } }: { bulk: Bulk }) {
  const [typed, setTyped] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  if (operation === undefined || preview === undefined) return null;
  const { jobs, users } = preview;
  const isTyped = jobs >= TYPED_FROM_JOBS || users >= TYPED_FROM_USERS;
  const text = question(operation, preview);
  return (
    <form
      className="space-y-3 rounded-xl border border-warn/60 p-3 text-sm"
      aria-label="Confirmation"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
        {jobs === 0 ? 'The filter selects no job.' : `${text}?`}
      </h3>
      {jobs > 0 && <Selection preview={preview} />}
      {jobs > 0 && isTyped && (
        <label className="block max-w-xs">
          Type {jobs} to confirm
          <input
            className="field mt-1"
            inputMode="numeric"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
      )}
      <div className="flex flex-wrap gap-2">
        {jobs > 0 && (
          <button type="submit" className="button-primary" disabled={isTyped && typed.trim() !== String(jobs)}>
            {text}
          </button>
        )}
        <button type="button" className="button" onClick={reset}>
          Back
        </button>
      </div>
    </form>
  );
}

function Selection({ preview }: { preview: BulkPreview }) {
  const rest = preview.jobs - preview.first.length;
  const others = preview.users - preview.by_user.length;
  return (
    <>
      <p>
        By stage: {preview.by_stage.map(({ stage, jobs }) => `${STAGE_NAMES[stage]} ${jobs}`).join(', ')}. By user:{' '}
        {preview.by_user.map(({ email, user_id, jobs }) => `${email || user_id.slice(0, 8)} ${jobs}`).join(', ')}
        {others > 0 && `, and ${countText(others, 'more user')}`}.
      </p>
      <ul className="divide-y divide-line" aria-label="First jobs">
        {preview.first.map((job) => (
          <li key={job.id}>
            <JobRow job={job} />
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="text-soft">… and {rest} more.</p>}
    </>
  );
}
