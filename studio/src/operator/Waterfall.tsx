import { jobUrl } from './filters.ts';
import { dateTime, durationText, timeZone } from './times.ts';
import type { JobHistoryData } from './types.ts';
import { toCharts } from './waterfall.ts';
import type { Chart, Row, Segment } from './waterfall.ts';

/** Fills of the segments. Failed and dropped ones have a pattern too, so that they are told apart without colours. */
const FILLS: Record<Segment['what'], string> = {
  waiting: 'bg-soft/50',
  running: 'bg-accent motion-safe:animate-pulse',
  done: 'bg-good',
  failed: 'bg-bad coming',
  dropped: 'bg-soft coming',
};
const WORDS: [Segment['what'], string][] = [
  ['waiting', 'waits'],
  ['done', 'done'],
  ['running', 'runs'],
  ['failed', 'failed attempt'],
  ['dropped', 'dropped'],
];
/** Marks of the axis, as shares. */
const MARKS = [0, 0.25, 0.5, 0.75, 1];

/** The tasks of a job on a time axis, one chart for each epoch, the latest first. A task is chosen by its link. */
export function Waterfall({ history, taskId }: { history: JobHistoryData; taskId: number | undefined }) {
  const { job, tasks, server_now } = history;
  const nameOf = (songId: string | null): string => job.songs.find((song) => song.song_id === songId)?.name ?? '';
  const [latest, ...earlier] = toCharts(tasks, Date.parse(server_now), nameOf);
  if (latest === undefined) return null;
  const isEarlierOpen = earlier.some(({ rows }) => rows.some(({ task }) => task.id === taskId));
  const draw = (chart: Chart) => (
    <EpochChart key={chart.epoch} chart={chart} jobId={job.id} taskId={taskId} nameOf={nameOf} />
  );
  return (
    <div className="space-y-4" data-testid="waterfall">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <h3 className="label">Waterfall</h3>
        <ul className="flex flex-wrap gap-x-3 text-xs text-soft" aria-label="Legend">
          {WORDS.map(([what, word]) => (
            <li key={what} className="flex items-center gap-1.5">
              <span aria-hidden="true" className={`h-2 w-4 rounded-sm ${FILLS[what]}`} />
              {word}
            </li>
          ))}
        </ul>
      </div>
      {draw(latest)}
      {earlier.length > 0 && (
        <details open={isEarlierOpen || undefined}>
          <summary className="cursor-pointer text-sm text-soft">
            {earlier.length === 1 ? 'The run before' : `${earlier.length} runs before`}
          </summary>
          <div className="mt-3 space-y-4">{earlier.map(draw)}</div>
        </details>
      )}
    </div>
  );
}

function EpochChart({
  chart,
  jobId,
  taskId,
  nameOf,
}: {
  chart: Chart;
  jobId: string;
  taskId: number | undefined;
  nameOf: (songId: string | null) => string;
}) {
  const { epoch, start, end, rows } = chart;
  const length = (end - start) / 1000;
  const time = (ms: number): string => dateTime(new Date(ms).toISOString());
  return (
    <section aria-label={`Tasks of epoch ${epoch}`}>
      <p className="text-xs text-soft">
        Epoch {epoch} · {time(start)} to {time(end)} ({timeZone()}) · {durationText(length)}
      </p>
      <ul className="mt-2 space-y-1">
        {rows.map((row) => (
          <li key={row.task.id}>
            <TaskBar
              row={row}
              href={jobUrl(jobId, row.task.id)}
              isChosen={row.task.id === taskId}
              song={nameOf(row.task.song_id)}
            />
          </li>
        ))}
      </ul>
      <div aria-hidden="true" className="relative mt-1 h-4 text-xs text-soft sm:ml-44">
        {MARKS.map((mark) => (
          <span
            key={mark}
            className={`absolute whitespace-nowrap ${mark === 1 ? 'right-0' : mark === 0 ? '' : '-translate-x-1/2'} ${mark % 0.5 === 0 ? '' : 'hidden sm:inline'}`}
            style={mark === 1 ? undefined : { left: `${mark * 100}%` }}
          >
            {mark === 0 ? '0' : `+${durationText(length * mark)}`}
          </span>
        ))}
      </div>
    </section>
  );
}

function TaskBar({ row, href, isChosen, song }: { row: Row; href: string; isChosen: boolean; song: string }) {
  const { task, segments, text, workers } = row;
  return (
    <a
      href={href}
      aria-current={isChosen || undefined}
      className={`block rounded-lg px-1 py-1 hover:bg-raised sm:grid sm:grid-cols-[10.5rem_1fr] sm:gap-2 ${isChosen ? 'bg-raised outline outline-1 outline-accent' : ''}`}
      data-testid="waterfall-task"
    >
      <span className="sr-only">{text}</span>
      <span aria-hidden="true" className="flex min-w-0 flex-wrap items-baseline gap-x-1.5 text-xs">
        <span className="font-medium">{task.kind}</span>
        {task.is_studio && <span className="chip">studio</span>}
        {song !== '' && <span className="min-w-0 truncate text-soft">{song}</span>}
      </span>
      <span aria-hidden="true" className="block min-w-0">
        <span className="relative mt-0.5 block h-3.5 overflow-hidden rounded bg-raised">
          {segments.map(({ key, what, from, until, title }) => (
            <span
              key={key}
              title={title}
              data-what={what}
              className={`absolute inset-y-0 ${what === 'waiting' ? 'my-1' : 'rounded-sm'} ${FILLS[what]}`}
              style={{ left: `${from * 100}%`, width: `max(2px, ${(until - from) * 100}%)` }}
            />
          ))}
        </span>
        {workers.length > 0 && (
          <span className="block truncate text-[0.6875rem] text-soft">worker {workers.join(', then ')}</span>
        )}
      </span>
    </a>
  );
}
