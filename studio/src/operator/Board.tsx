import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { toggleOf, useActions } from './actions.ts';
import { EndedByHour } from './EndedByHour.tsx';
import { jobsUrl } from './filters.ts';
import { EndedJobs, Failures, LiveJobs, StuckJobs } from './JobLists.tsx';
import { Pauses } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import { Services } from './Services.tsx';
import { StageTimes } from './StageTimes.tsx';
import type { Overview } from './types.ts';
import { useOverview, useThroughput } from './useOperatorData.ts';

/** The state of the whole engine. */
export function Board({ supabase }: { supabase: SupabaseClient }) {
  const { data: overview, problem, refresh } = useOverview(supabase);
  const { data: throughput } = useThroughput(supabase);
  const { refusal, dismiss, act } = useActions(refresh);
  if (problem && overview === undefined) return <Notice problem={problem} />;
  if (overview === undefined) return <p className="panel min-h-64 text-soft">Loading…</p>;
  const toggle: Toggle = (scope, key) => act(toggleOf(supabase, overview)(scope, key));
  return (
    <div className="space-y-5" data-testid="operator-board">
      {problem && <Notice problem={problem} />}
      {refusal && <Notice problem={refusal} onDismiss={dismiss} />}
      <StageCounts stages={overview.stages} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="min-w-0 space-y-5">
          <LiveJobs overview={overview} />
          <StuckJobs overview={overview} />
          <Pauses overview={overview} onToggle={toggle} />
          <Services overview={overview} onToggle={toggle} />
          {throughput && <StageTimes times={throughput} />}
        </div>
        <div className="min-w-0 space-y-5">
          <Failures overview={overview} />
          <EndedByHour hours={overview.hours} />
          <EndedJobs overview={overview} />
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
          <dt className="truncate text-xs text-soft">
            <a className="hover:underline" href={jobsUrl({ stage })}>
              {STAGE_NAMES[stage]}
            </a>
          </dt>
          <dd className={`text-xl font-semibold ${jobs === 0 ? 'text-soft' : stage === 'failed' ? 'text-bad' : ''}`}>
            {jobs}
          </dd>
        </div>
      ))}
    </dl>
  );
}
