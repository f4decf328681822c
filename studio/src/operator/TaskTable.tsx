import { dateTime, timeZone } from './times.ts';
import type { JobHistoryData, Task } from './types.ts';

const seconds = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)} s`);
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** The tasks of a job with their state, failures and duration. */
export function TaskTable({ tasks, songs }: { tasks: Task[]; songs: JobHistoryData['job']['songs'] }) {
  const nameOf = (songId: string | null): string => songs.find((song) => song.song_id === songId)?.name ?? '';
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Tasks">
      <table className="w-full text-left sm:min-w-[38rem] text-sm">
        <caption className="label mb-2 text-left">Tasks ({timeZone()})</caption>
        <thead className="text-xs text-soft">
          <tr>
            <th className="pb-1 pr-3 font-medium">Kind</th>
            <th className="pb-1 pr-3 font-medium">Song</th>
            <th className="pb-1 pr-3 font-medium">Epoch</th>
            {/* A phone has room for what failed, and the waterfall has the times. */}
            <th className="hidden pb-1 pr-3 font-medium sm:table-cell">Began</th>
            <th className="pb-1 pr-3 font-medium">State</th>
            <th className="pb-1 text-right font-medium">Took</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={task.id} className="border-t border-line">
              <td className="py-1.5 pr-3">{task.kind}</td>
              <td className="pr-3">{nameOf(task.song_id)}</td>
              <td className="pr-3">
                {task.epoch}
                {task.is_studio && ' (studio)'}
              </td>
              <td className="hidden whitespace-nowrap pr-3 sm:table-cell">
                {task.started_at === null ? '–' : dateTime(task.started_at)}
              </td>
              <TaskState task={task} />
              <td className="whitespace-nowrap text-right">{seconds(task.took_sec)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TaskState({ task }: { task: Task }) {
  return (
    <td className="pr-3">
      {task.state}
      {task.failures > 0 && ` · ${task.failures} ${task.failures === 1 ? 'failure' : 'failures'}`}
      {task.crashes > 0 && ` · worker lost ${times(task.crashes)}`}
      {task.error && (
        <span className="block break-words text-xs text-bad">
          {task.error.code}
          {task.error.message && `: ${task.error.message}`}
        </span>
      )}
    </td>
  );
}
