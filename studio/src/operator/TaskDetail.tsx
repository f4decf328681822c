import { useEffect, useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { fromOperatorError } from './actions.ts';
import { Payload } from './Payload.tsx';
import { TaskLog } from './TaskLog.tsx';
import { dateTime, durationText, timeZone } from './times.ts';
import type { Task } from './types.ts';
import { shortWorker } from './waterfall.ts';

/** One task: when it ran on which worker, its error, what it made, and its log lines. */
export function TaskDetail({ supabase, task, song }: { supabase: SupabaseClient; task: Task; song: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, [task.id]);
  return (
    <section className="space-y-3 rounded-xl border border-line p-3" aria-label="Task" data-testid="task-detail">
      <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
        {task.kind}
        {song !== '' && ` of ${song}`} · {task.state}
      </h3>
      <p className="text-xs text-soft">
        Task {task.id} · epoch {task.epoch} · service {task.service}
        {task.is_studio && ' · of the studio version'}
        {task.fallback && ' · without its service'} · {task.failures} of {task.max_attempts} attempts failed
        {task.crashes > 0 && ` · ${task.crashes} workers lost`}
      </p>
      {task.error && (
        <p className="break-words text-sm text-bad">
          {task.error.code}
          {task.error.message && `: ${task.error.message}`}
          {task.error.hint && <span className="block text-soft">{task.error.hint}</span>}
        </p>
      )}
      <Times task={task} />
      <TaskPayload key={task.id} supabase={supabase} taskId={task.id} />
      <TaskLog key={`log ${task.id}`} supabase={supabase} task={task} />
    </section>
  );
}

/** Absolute times of a task and its attempts, as a table. */
function Times({ task }: { task: Task }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Attempts">
      <table className="w-full min-w-[26rem] text-left text-xs">
        <caption className="pb-1 text-left text-soft">
          Created {dateTime(task.created_at)}, due {dateTime(task.run_at)}. Times are {timeZone()}.
        </caption>
        <thead className="text-soft">
          <tr>
            <th className="pr-3 font-medium">Attempt</th>
            <th className="pr-3 font-medium">Claim</th>
            <th className="pr-3 font-medium">Worker</th>
            <th className="pr-3 font-medium">From</th>
            <th className="font-medium">Ran</th>
          </tr>
        </thead>
        <tbody>
          {task.attempts.map((attempt, index) => (
            <tr key={attempt.from} className="border-t border-line">
              <td className="py-1 pr-3">{index + 1}</td>
              <td className="pr-3">{attempt.claim?.slice(0, 8) ?? 'unknown'}</td>
              <td className="pr-3">{shortWorker(attempt)}</td>
              <td className="pr-3">{dateTime(attempt.from)}</td>
              <td>
                {attempt.until === null
                  ? 'runs now'
                  : durationText((Date.parse(attempt.until) - Date.parse(attempt.from)) / 1000)}
                {attempt.lost && ', then its worker was lost'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a task is and made, read when it is asked for. */
function TaskPayload({ supabase, taskId }: { supabase: SupabaseClient; taskId: number }) {
  const [payload, setPayload] = useState<object>();
  const [problem, setProblem] = useState<Problem>();
  const load = async (): Promise<void> => {
    const { data, error } = await supabase.rpc('operator_task_payload', { task_id: taskId });
    setProblem(error ? fromOperatorError(error) : undefined);
    setPayload((data as object | null) ?? undefined);
  };
  return (
    <div className="space-y-2">
      <button type="button" className="button" onClick={() => void load()}>
        {payload === undefined ? 'Load what it made' : 'Load again'}
      </button>
      {problem && <Notice problem={problem} />}
      {payload &&
        Object.entries(payload).map(
          ([name, value]) => value !== null && <Payload key={name} name={name} value={value as object} />,
        )}
    </div>
  );
}
