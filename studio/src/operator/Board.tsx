import { useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { EndedByHour } from './EndedByHour.tsx';
import { EndedJobs, Failures, LiveJobs, StuckJobs } from './JobLists.tsx';
import { JobHistory } from './JobHistory.tsx';
import { isPaused, PauseButton, Pauses } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import { Services } from './Services.tsx';
import { StageTimes } from './StageTimes.tsx';
import type { Overview } from './types.ts';
import { useOperatorData } from './useOperatorData.ts';
import * as actions from './actions.ts';

/** The state of the whole engine, and the history of one job. */
export function Board({ supabase }: { supabase: SupabaseClient }) {
  const [jobId, setJobId] = useState<string>();
  const { overview, history, problem, refresh } = useOperatorData(supabase, jobId);
  const [refusal, setRefusal] = useState<Problem>();
  const act = async (work: Promise<Problem | undefined>): Promise<void> => {
    setRefusal(await work);
    await refresh();
  };

  if (problem && overview === undefined) return <Notice problem={problem} />;
  if (overview === undefined) return <p className="panel min-h-64 text-soft">Loading…</p>;
  const toggle: Toggle = (scope, key) =>
    void act((isPaused(overview, scope, key) ? actions.resume : actions.pause)(supabase, scope, key));

  return (
    <div className="space-y-5" data-testid="operator-board">
      {problem && <Notice problem={problem} />}
      {refusal && <Notice problem={refusal} onDismiss={() => setRefusal(undefined)} />}
      <StageCounts stages={overview.stages} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="min-w-0 space-y-5">
          <LiveJobs overview={overview} onOpen={setJobId} />
          <StuckJobs overview={overview} onOpen={setJobId} />
          <Pauses overview={overview} onToggle={toggle} />
          <Services overview={overview} onToggle={toggle} />
          <StageTimes times={overview.throughput} />
        </div>
        <div className="min-w-0 space-y-5">
          {history && (
            <JobHistory
              key={history.job.id}
              history={history}
              pause={
                <PauseButton
                  overview={overview}
                  scope="job"
                  name={history.job.id}
                  onToggle={toggle}
                  className="button"
                />
              }
              onReplay={(stage, fresh) => void act(actions.replay(supabase, history.job.id, stage, fresh))}
              onRetry={() => void act(actions.retry(supabase, history.job.id))}
              onCancel={() => void act(actions.cancel(supabase, history.job.id))}
            />
          )}
          <Failures overview={overview} onOpen={setJobId} />
          <EndedByHour hours={overview.hours} />
          <EndedJobs overview={overview} onOpen={setJobId} />
        </div>
      </div>
    </div>
  );
}

function StageCounts({ stages }: Pick<Overview, 'stages'>) {
  return (
    <dl className="grid grid-cols-3 gap-2 sm:auto-cols-fr sm:grid-flow-col sm:grid-cols-none">
      {stages.map(({ stage, jobs }) => (
        <div key={stage} className="flex flex-col-reverse rounded-xl border border-line bg-panel p-2.5 text-center">
          <dt className="truncate text-xs text-soft">{STAGE_NAMES[stage]}</dt>
          <dd className={`text-xl font-semibold ${jobs === 0 ? 'text-soft' : stage === 'failed' ? 'text-bad' : ''}`}>
            {jobs}
          </dd>
        </div>
      ))}
    </dl>
  );
}
