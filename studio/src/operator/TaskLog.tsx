import { useCallback, useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { fromOperatorError } from './actions.ts';
import { timeOfDay, timeZone } from './times.ts';
import type { LogLine, Task } from './types.ts';
import { usePolling } from './useOperatorData.ts';

const READ_EVERY_MS = 2_000;
const LINES = 500;
const LEVELS: Record<LogLine['level'], string> = {
  debug: 'text-soft',
  info: '',
  warn: 'text-warn',
  error: 'text-bad',
};

/** The log lines of a task, followed while the page is visible. */
export function TaskLog({ supabase, task }: { supabase: SupabaseClient; task: Task }) {
  const [lines, setLines] = useState<LogLine[]>();
  const [problem, setProblem] = useState<Problem>();
  const last = useRef(0);
  const read = useCallback(async (): Promise<void> => {
    const parameters = { task_id: task.id, after_id: last.current, max_lines: LINES };
    const { data, error } = await supabase.rpc('operator_task_logs', parameters);
    setProblem(error ? fromOperatorError(error) : undefined);
    if (error) return;
    const more = data as LogLine[];
    last.current = more.at(-1)?.id ?? last.current;
    setLines((before) => (more.length === 0 && before ? before : [...(before ?? []), ...more]));
  }, [supabase, task.id]);
  usePolling(read, READ_EVERY_MS);
  return (
    <div>
      <h4 className="label">Log lines ({timeZone()})</h4>
      {problem && <Notice problem={problem} />}
      {lines?.length === 0 && (
        <p className="mt-1 text-sm text-soft">No lines: the task has not started, or its lines have expired.</p>
      )}
      <ol
        className="mt-1 max-h-96 overflow-auto rounded-lg bg-raised p-2 font-mono text-xs empty:hidden"
        tabIndex={0}
        aria-label="Log lines"
      >
        {lines?.map((line) => (
          <li key={line.id} className={`break-words ${LEVELS[line.level]}`} data-testid="log-line">
            <time dateTime={line.at}>{timeOfDay(line.at)}</time> {line.level.padEnd(5)} {line.line}
            <span className="text-soft">{fieldsText(line)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const fieldsText = ({ fields, claim }: LogLine): string =>
  [...Object.entries(fields), ['claim', claim.slice(0, 8)]]
    .map(([name, value]) => ` ${name}=${String(value)}`)
    .join('');
