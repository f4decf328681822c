/**
 * Keeps the log lines of running tasks until they are written to the database, with those of all tasks of the worker in one
 * statement. No task waits for it, and none fails because of it: what does not fit is dropped and counted.
 */
import type { TaskLogLevel } from '../schema/database.ts';
import type { Claim } from './database/database-api.ts';
import type { TaskLogLine } from './database/task-logs-api.ts';
import type { Log, LogFields } from './log.ts';
import { redact } from './redact.ts';

/** Most lines that wait to be written, of all tasks together. */
const MAX_WAITING = 2_000;
/** Most lines of one task that wait to be written: a task that logs much leaves room for the others. */
const MAX_WAITING_OF_TASK = 300;
/** Most lines in one statement. */
const BATCH = 500;
/** Longest line: stacks of faults are longer than other texts. */
const MAX_LINE = 2_000;
const MAX_FIELD = 300;

/** Fields that the row of a line has anyway. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set(['task', 'claim', 'job', 'kind', 'song']);

interface WaitingLine extends Omit<TaskLogLine, 'age_sec'> {
  /** By the monotonic clock. */
  at: number;
}

/** Writes lines; resolves with whether they were accepted. */
export type WriteLines = (lines: readonly TaskLogLine[]) => Promise<boolean>;

/** The log lines of the tasks of one worker. */
export class TaskLogs {
  readonly #write: WriteLines;
  #waiting: WaitingLine[] = [];
  #waitingOf = new Map<string, number>();
  #dropped = new Map<string, { task: string; claim: string; lines: number }>();

  constructor(write: WriteLines) {
    this.#write = write;
  }

  /** Adds a line of a task. Texts are redacted. */
  add({ task_id: task, claim }: Claim, level: TaskLogLevel, message: string, fields: LogFields = {}): void {
    const ofTask = this.#waitingOf.get(claim) ?? 0;
    if (this.#waiting.length >= MAX_WAITING || ofTask >= MAX_WAITING_OF_TASK) {
      const lines = (this.#dropped.get(claim)?.lines ?? 0) + 1;
      this.#dropped.set(claim, { task, claim, lines });
      return;
    }
    this.#waitingOf.set(claim, ofTask + 1);
    const line = redact(message, MAX_LINE);
    this.#waiting.push({ task, claim, level, line, fields: cleanFields(fields), at: performance.now() });
  }

  /** Returns a log that adds each line to those of a task as well. */
  logOf(claim: Claim, log: Log): Log {
    return (level, message, fields) => {
      log(level, message, fields);
      this.add(claim, level, message, fields);
    };
  }

  /**
   * Writes what waits. Call it once at a time.
   * @throws the error of a write that failed; its lines wait for the next call
   */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        if (await this.#write(withAges(batch))) continue;
      } catch (error) {
        this.#putBack(batch);
        throw error;
      }
      // The worker is not registered at the moment.
      this.#putBack(batch);
      return;
    }
  }

  #take(): WaitingLine[] {
    const notes = [...this.#dropped.values()].map(({ task, claim, lines }): WaitingLine => {
      const line = `${lines} lines of the log of this task were dropped: more were written than the database took.`;
      return { task, claim, level: 'warn', line, fields: { dropped: lines }, at: performance.now() };
    });
    this.#dropped.clear();
    const batch = this.#waiting.slice(0, BATCH);
    this.#waiting = this.#waiting.slice(BATCH);
    this.#count();
    return [...batch, ...notes];
  }

  #putBack(batch: readonly WaitingLine[]): void {
    this.#waiting = [...batch, ...this.#waiting];
    this.#count();
  }

  #count(): void {
    this.#waitingOf = new Map();
    for (const { claim } of this.#waiting) this.#waitingOf.set(claim, (this.#waitingOf.get(claim) ?? 0) + 1);
  }
}

function withAges(lines: readonly WaitingLine[]): TaskLogLine[] {
  const now = performance.now();
  return lines.map(({ at, ...line }) => ({ ...line, age_sec: Math.max(0, now - at) / 1000 }));
}

function cleanFields(fields: LogFields): TaskLogLine['fields'] {
  const clean: TaskLogLine['fields'] = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || KNOWN_FIELDS.has(name)) continue;
    clean[name] = typeof value === 'string' ? redact(value, MAX_FIELD) : value;
  }
  return clean;
}
