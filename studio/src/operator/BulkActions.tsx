import { useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import type { ReplayStage } from '../../../schema.ts';
import { STAGE_NAMES, WORKING_STAGES } from '../../../schema/stages.ts';
import { BulkConfirmation } from './BulkConfirmation.tsx';
import { jobUrl } from './filters.ts';
import type { JobFilter } from './filters.ts';
import { useBulk } from './useBulk.ts';
import type { Bulk } from './useBulk.ts';

/** Retry, replay and cancellation of all jobs of a filter: first what is hit, then the operation, then its result. */
export function BulkActions({
  supabase,
  filter,
  onDone,
}: {
  supabase: SupabaseClient;
  filter: JobFilter;
  onDone: () => Promise<void>;
}) {
  const bulk = useBulk(supabase, filter, onDone);
  const [stage, setStage] = useState<ReplayStage>('planning');
  const isFree = Object.keys(filter).every((name) => name === 'until');
  const isOff = isFree || bulk.state === 'loading' || bulk.state === 'running';
  return (
    <section className="panel space-y-3" aria-label="All jobs of the filter">
      <h2 className="font-semibold">All jobs of the filter</h2>
      {isFree && <p className="text-sm text-soft">Choose a filter to retry, replay or cancel all of its jobs.</p>}
      <div className="flex flex-wrap items-center gap-2">
        <button type="button" className="button" disabled={isOff} onClick={() => void bulk.ask({ name: 'retry' })}>
          Retry…
        </button>
        <button
          type="button"
          className="button text-bad"
          disabled={isOff}
          onClick={() => void bulk.ask({ name: 'cancel' })}
        >
          Cancel…
        </button>
        <button
          type="button"
          className="button"
          disabled={isOff}
          onClick={() => void bulk.ask({ name: 'replay', stage })}
        >
          Replay…
        </button>
        <label className="flex items-center gap-2 text-sm text-soft">
          from
          <select
            className="field w-auto"
            value={stage}
            disabled={isOff}
            onChange={(event) => setStage(WORKING_STAGES.find((one) => one === event.target.value) ?? 'planning')}
          >
            {WORKING_STAGES.map((one) => (
              <option key={one} value={one}>
                {STAGE_NAMES[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {bulk.problem && <Notice problem={bulk.problem} />}
      {bulk.state === 'loading' && <p className="text-sm text-soft">Counting…</p>}
      {bulk.state === 'confirming' && <BulkConfirmation bulk={bulk} />}
      <Outcome bulk={bulk} />
    </section>
  );
}

const DONE = { retry: 'retried', cancel: 'cancelled', replay: 'replayed' } as const;

/** How far a running operation is, and what became of each job. */
function Outcome({ bulk: { operation, preview, state, done, refused, stop, reset } }: { bulk: Bulk }) {
  if (operation === undefined || preview === undefined || state === 'confirming' || state === 'loading') return null;
  const total = Math.max(preview.jobs, done + refused.length);
  const text = `${done} of ${total} jobs ${DONE[operation.name]}, ${refused.length} refused`;
  return (
    <div className="space-y-2 text-sm">
      <progress className="h-2 w-full accent-accent" max={total} value={done + refused.length} aria-label="Progress" />
      <p role="status" data-testid="bulk-result">
        {state === 'running' ? `${text} …` : state === 'stopped' ? `Stopped: ${text}.` : `${text}.`}
      </p>
      <Refusals refused={refused} />
      {state === 'running' ? (
        <button type="button" className="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <button type="button" className="button" onClick={reset}>
          Close
        </button>
      )}
    </div>
  );
}

/** Refused jobs by reason: ids in messages do not make different reasons. */
function Refusals({ refused }: Pick<Bulk, 'refused'>) {
  const byReason = new Map<string, string[]>();
  for (const { id, message } of refused) {
    const reason = (message ?? '').replaceAll(id, '…');
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  if (byReason.size === 0) return null;
  return (
    <ul className="space-y-1">
      {[...byReason].map(([reason, ids]) => (
        <li key={reason}>
          <details>
            <summary className="cursor-pointer">
              {ids.length} × {reason}
            </summary>
            <ul className="mt-1 flex flex-wrap gap-2 text-xs">
              {ids.slice(0, 100).map((id) => (
                <li key={id}>
                  <a className="text-accent hover:underline" href={jobUrl(id)}>
                    {id.slice(0, 8)}
                  </a>
                </li>
              ))}
            </ul>
          </details>
        </li>
      ))}
    </ul>
  );
}
