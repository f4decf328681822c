/** What the waterfall of a job draws: one chart for each epoch, with the waits and the attempts of each task on one time axis. */
import { durationText } from './times.ts';
import type { Attempt, Task } from './types.ts';

/** A part of a task's bar. Places are shares of the axis, 0 to 1. */
export interface Segment {
  key: string;
  what: 'waiting' | 'running' | 'done' | 'failed' | 'dropped';
  from: number;
  until: number;
  title: string;
}

export interface Row {
  task: Task;
  segments: Segment[];
  /** The whole bar in words. */
  text: string;
  workers: string[];
}

export interface Chart {
  epoch: number;
  rows: Row[];
  /** Milliseconds of the epoch. */
  start: number;
  end: number;
}

const ms = (time: string): number => Date.parse(time);
/** A worker in short: the start of its id, and its host while it is registered. */
export const shortWorker = ({ worker_id, host }: Pick<Attempt, 'worker_id' | 'host'>): string =>
  `${worker_id.slice(0, 8)}${host === null ? '' : ` on ${host}`}`;

/** The attempts of a task. Without log lines only the last one is known, and not its worker. */
export function attemptsOf(task: Task): { from: number; until: number | undefined; attempt: Attempt | undefined }[] {
  const known = task.attempts.map((attempt) => ({
    from: ms(attempt.from),
    until: attempt.until === null ? undefined : ms(attempt.until),
    attempt,
  }));
  if (known.length > 0 || task.started_at === null) return known;
  return [
    {
      from: ms(task.started_at),
      until:
        task.finished_at === null ? (task.state === 'running' ? undefined : ms(task.started_at)) : ms(task.finished_at),
      attempt: undefined,
    },
  ];
}

/** Charts of the epochs of a job, the latest first. @param now by the database's clock */
export function toCharts(tasks: readonly Task[], now: number, nameOf: (songId: string | null) => string): Chart[] {
  const epochs = [...new Set(tasks.map(({ epoch }) => epoch))].sort((a, b) => b - a);
  return epochs.map((epoch) => {
    const own = tasks.filter((task) => task.epoch === epoch);
    const start = Math.min(...own.map(({ created_at }) => ms(created_at)));
    const end = Math.max(start + 100, ...own.map((task) => endOf(task, now)));
    return { epoch, start, end, rows: own.map((task) => toRow(task, { start, end, now, nameOf })) };
  });
}

function endOf(task: Task, now: number): number {
  if (task.finished_at !== null) return ms(task.finished_at);
  const isLive = task.state === 'waiting' || task.state === 'ready' || task.state === 'running';
  return isLive ? now : Math.max(ms(task.created_at), ...attemptsOf(task).map(({ from, until }) => until ?? from));
}

interface Axis {
  start: number;
  end: number;
  now: number;
  nameOf: (songId: string | null) => string;
}

function toRow(task: Task, axis: Axis): Row {
  const place = (time: number): number => Math.min(1, Math.max(0, (time - axis.start) / (axis.end - axis.start)));
  const segments: Segment[] = [];
  const attempts = attemptsOf(task);
  const taskEnd = endOf(task, axis.now);
  let waited = 0;
  let ran = 0;
  let at = ms(task.created_at);
  const wait = (until: number): void => {
    if (until - at <= 0) return;
    waited += until - at;
    const title = `waited ${durationText((until - at) / 1000)}`;
    segments.push({ key: `wait ${at}`, what: 'waiting', from: place(at), until: place(until), title });
  };
  attempts.forEach(({ from, until, attempt }, index) => {
    wait(from);
    const end = Math.max(from, until ?? axis.now);
    ran += end - from;
    const isLast = index === attempts.length - 1;
    const worker = attempt === undefined ? '' : ` by worker ${shortWorker(attempt)}`;
    segments.push({
      key: `run ${from}`,
      what: isLast ? lastWhat(task) : 'failed',
      from: place(from),
      until: place(end),
      title: `attempt ${index + 1}${worker}${attempt?.lost ? ', which was lost' : ''}: ${durationText((end - from) / 1000)}`,
    });
    at = end;
  });
  if (!attempts.length || task.state === 'waiting' || task.state === 'ready') wait(taskEnd);
  const lost = task.attempts.filter((attempt) => attempt.lost).length;
  const song = axis.nameOf(task.song_id);
  const parts = [
    `${task.kind}${song === '' ? '' : ` of ${song}`}, epoch ${task.epoch}${task.is_studio ? ', studio version' : ''}`,
    `waited ${durationText(waited / 1000)}`,
    attempts.length === 0
      ? 'not started'
      : `ran ${durationText(ran / 1000)} in ${attempts.length} ${attempts.length === 1 ? 'attempt' : 'attempts'}`,
    ...(lost === 0 ? [] : [`${lost} ${lost === 1 ? 'worker was' : 'workers were'} lost`]),
    task.state,
  ];
  const workers = [...new Set(task.attempts.map(shortWorker))];
  return { task, segments, text: parts.join('; '), workers };
}

function lastWhat({ state }: Task): Segment['what'] {
  if (state === 'running' || state === 'done' || state === 'dropped') return state;
  // It waits for its next attempt, or there is none.
  return 'failed';
}
