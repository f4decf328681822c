import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import * as actions from './actions.ts';
import { JobHistory } from './JobHistory.tsx';
import { PauseButton, Pauses } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import { ShareState } from './ShareState.tsx';
import { useJobHistory, useOverview } from './useOperatorData.ts';

/** Pauses are all that is shown of the overview here. */
const READ_PAUSES_EVERY_MS = 5_000;

/** The page of one job, live. Its address names the job and the chosen task. */
export function JobView({ supabase, jobId, query }: { supabase: SupabaseClient; jobId: string; query: string }) {
  const { data: history, problem, refresh: refreshJob } = useJobHistory(supabase, jobId);
  const { data: overview, refresh: refreshOverview } = useOverview(supabase, READ_PAUSES_EVERY_MS);
  const { refusal, dismiss, act } = actions.useActions(async () => {
    await Promise.all([refreshJob(), refreshOverview()]);
  });
  const task = Number(new URLSearchParams(query).get('task') ?? NaN);
  if (history === undefined || overview === undefined) return problem ? <Notice problem={problem} /> : <Missing />;
  const toggle: Toggle = (scope, key) => act(actions.toggleOf(supabase, overview)(scope, key));
  return (
    <div className="space-y-5">
      {problem && <Notice problem={problem} />}
      {refusal && <Notice problem={refusal} onDismiss={dismiss} />}
      <Pauses overview={overview} onToggle={toggle} />
      <JobHistory
        supabase={supabase}
        history={history}
        taskId={Number.isNaN(task) ? undefined : task}
        share={
          history.share && (
            <ShareState
              share={history.share}
              onTakeDown={(reason) => act(actions.takeDownShare(supabase, jobId, reason))}
              onLift={() => act(actions.liftShareTakeDown(supabase, jobId))}
            />
          )
        }
        pause={<PauseButton overview={overview} scope="job" name={jobId} onToggle={toggle} className="button" />}
        onReplay={(stage, fresh) => act(actions.replay(supabase, jobId, stage, fresh))}
        onRetry={() => act(actions.retry(supabase, jobId))}
        onCancel={() => act(actions.cancel(supabase, jobId))}
      />
    </div>
  );
}

/** Shown until the job is read, and if there is none. */
function Missing() {
  return (
    <p className="panel min-h-64 text-soft">
      Looking for the job. If nothing appears, it was deleted: see{' '}
      <a className="text-accent hover:underline" href="#/operator/jobs">
        all jobs
      </a>
      .
    </p>
  );
}
