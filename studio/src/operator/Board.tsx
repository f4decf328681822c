import { useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '../components/Notice.tsx';
import type { Problem } from '../state/problem.ts';
import { ago, clock, STAGE_WORDS } from '../words.ts';
import { JobStory } from './JobStory.tsx';
import type { LiveJob, Overview } from './shapes.ts';
import { StageTimes } from './StageTimes.tsx';
import { useOperator } from './useOperator.ts';
import * as verbs from './verbs.ts';

const CIRCUIT_LOOKS = { closed: 'bg-good', half_open: 'bg-warn', open: 'bg-bad' } as const;
const CIRCUIT_WORDS = { closed: 'well', half_open: 'being tried', open: 'away' } as const;

function LiveRow({ job, onOpen }: { job: LiveJob; onOpen: () => void }) {
  return (
    <li>
      <button
        type="button"
        className="w-full rounded-xl border border-line p-3 text-left text-sm hover:bg-raised"
        onClick={onOpen}
      >
        <span className="flex justify-between gap-3">
          <span className="truncate font-medium">{job.current_step}</span>
          <span className="whitespace-nowrap text-soft">
            {STAGE_WORDS[job.stage]} · {clock(job.in_stage_sec)}
          </span>
        </span>
        <span className="mt-2 block h-1.5 overflow-hidden rounded-full bg-raised">
          <span className="block h-full rounded-full bg-accent" style={{ width: `${job.progress}%` }} />
        </span>
        <span className="mt-1.5 block truncate text-xs text-soft">
          {job.id.slice(0, 8)} · {job.running} running, {job.ready} ready, {job.waiting} waiting
          {job.waiting_on && ` · waits for ${job.waiting_on}`}
        </span>
      </button>
    </li>
  );
}

function Services({
  overview,
  onToggle,
}: {
  overview: Overview;
  onToggle: (scope: 'system' | 'service', key: string, isPaused: boolean) => void;
}) {
  const isPaused = (scope: string, key = ''): boolean =>
    overview.pauses.some((pause) => pause.scope === scope && pause.key === key);
  return (
    <section className="panel" aria-label="Services">
      <div className="flex items-center justify-between gap-3">
        <h2 className="font-semibold">Services</h2>
        <button type="button" className="button" onClick={() => onToggle('system', '', isPaused('system'))}>
          {isPaused('system') ? 'Resume everything' : 'Pause everything'}
        </button>
      </div>
      <ul className="mt-3 divide-y divide-line">
        {overview.circuits.map((circuit) => (
          <li key={circuit.service} className="flex items-center gap-3 py-2 text-sm">
            <span className={`h-2.5 w-2.5 rounded-full ${CIRCUIT_LOOKS[circuit.state]}`} />
            <span className="min-w-0 flex-1">
              <span className="font-medium">{circuit.service}</span>{' '}
              <span className="text-soft">
                {isPaused('service', circuit.service) ? 'paused' : CIRCUIT_WORDS[circuit.state]}
                {` · ${circuit.running}${circuit.at_most === null ? '' : ` of ${circuit.at_most}`}`}
                {circuit.waiting > 0 && ` · ${circuit.waiting} waiting`}
              </span>
              {circuit.state !== 'closed' && circuit.last_error && (
                <span className="block truncate text-xs text-soft">{circuit.last_error}</span>
              )}
            </span>
            <button
              type="button"
              className="button-quiet"
              onClick={() => onToggle('service', circuit.service, isPaused('service', circuit.service))}
            >
              {isPaused('service', circuit.service) ? 'Resume' : 'Pause'}
              <span className="sr-only"> {circuit.service}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className="mt-2 text-xs text-soft">
        {overview.capacity.map((one) => `${one.what} ${one.in_use} of ${one.at_most}`).join(' · ')}
        {overview.workers.map(
          (one) => ` · ${one.host} (${one.pid}), heard ${Math.max(0, one.seen_sec).toFixed(0)} s ago`,
        )}
      </p>
    </section>
  );
}

/** The engine at a glance, and each job's story. */
export function Board({ supabase }: { supabase: SupabaseClient }) {
  const [jobId, setJobId] = useState<string>();
  const { overview, story, problem, refresh } = useOperator(supabase, jobId);
  const [refusal, setRefusal] = useState<Problem>();
  const act = async (work: Promise<Problem | undefined>): Promise<void> => {
    setRefusal(await work);
    await refresh();
  };

  if (problem && overview === undefined) return <Notice problem={problem} />;
  if (overview === undefined) return <p className="panel min-h-64 text-soft">Reading…</p>;

  return (
    <div className="space-y-5" data-testid="operator-board">
      {problem && <Notice problem={problem} />}
      {refusal && <Notice problem={refusal} onDismiss={() => setRefusal(undefined)} />}
      <dl className="grid grid-cols-3 gap-2 sm:grid-cols-9">
        {overview.stages.map(({ stage, jobs }) => (
          <div key={stage} className="rounded-xl border border-line bg-panel p-2.5 text-center">
            <dd className={`text-xl font-semibold ${jobs === 0 ? 'text-soft' : stage === 'failed' ? 'text-bad' : ''}`}>
              {jobs}
            </dd>
            <dt className="truncate text-xs text-soft">{STAGE_WORDS[stage]}</dt>
          </div>
        ))}
      </dl>
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="min-w-0 space-y-5">
          <section className="panel" aria-label="Live jobs">
            <h2 className="font-semibold">Live</h2>
            {overview.live.length === 0 && <p className="mt-2 text-sm text-soft">No job is on its way.</p>}
            <ul className="mt-3 space-y-2">
              {overview.live.map((job) => (
                <LiveRow key={job.id} job={job} onOpen={() => setJobId(job.id)} />
              ))}
            </ul>
          </section>
          {overview.stuck.length > 0 && (
            <section className="panel border-warn/50" aria-label="Stuck jobs">
              <h2 className="font-semibold text-warn">Stuck</h2>
              <ul className="mt-2 space-y-2 text-sm">
                {overview.stuck.map((job) => (
                  <li key={job.id}>
                    <button type="button" className="text-left hover:underline" onClick={() => setJobId(job.id)}>
                      {STAGE_WORDS[job.stage]} for {clock(job.in_stage_sec)}: {job.why}
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <Services
            overview={overview}
            onToggle={(scope, key, isPaused) => void act((isPaused ? verbs.resume : verbs.pause)(supabase, scope, key))}
          />
          <StageTimes times={overview.throughput} />
        </div>
        <div className="min-w-0 space-y-5">
          {story && (
            <JobStory
              key={story.job.id}
              story={story}
              onReplay={(stage, fresh) => void act(verbs.replay(supabase, story.job.id, stage, fresh))}
              onRetry={() => void act(verbs.retry(supabase, story.job.id))}
              onCancel={() => void act(verbs.cancel(supabase, story.job.id))}
            />
          )}
          {overview.failures.length > 0 && (
            <section className="panel" aria-label="Failures">
              <h2 className="font-semibold">Failures of seven days</h2>
              <ul className="mt-2 space-y-2 text-sm">
                {overview.failures.map((failure) => (
                  <li key={failure.error_code + failure.failed_in}>
                    <button
                      type="button"
                      className="text-left hover:underline"
                      onClick={() => setJobId(failure.last_job)}
                    >
                      <span className="font-medium">{failure.jobs} ×</span> {failure.last_message}{' '}
                      <span className="text-soft">({failure.error_code})</span>
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section className="panel" aria-label="Ended jobs">
            <h2 className="font-semibold">Ended lately</h2>
            {overview.recent.length === 0 && <p className="mt-2 text-sm text-soft">No job has ended yet.</p>}
            <ul className="mt-2 divide-y divide-line text-sm">
              {overview.recent.map((job) => (
                <li key={job.id}>
                  <button
                    type="button"
                    className="flex w-full items-baseline gap-2 py-2 text-left hover:underline"
                    onClick={() => setJobId(job.id)}
                  >
                    <span
                      className={`h-2 w-2 shrink-0 rounded-full ${job.stage === 'complete' ? 'bg-good' : job.stage === 'failed' ? 'bg-bad' : 'bg-soft'}`}
                    />
                    <span className="min-w-0 flex-1 truncate">{job.title ?? job.songs.join(' × ')}</span>
                    <span className="whitespace-nowrap text-xs text-soft">
                      {job.took_sec !== null && job.stage === 'complete' && `${job.took_sec.toFixed(0)} s · `}
                      {ago(job.finished_at)}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        </div>
      </div>
    </div>
  );
}
