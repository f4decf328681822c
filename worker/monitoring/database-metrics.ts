/**
 * Metrics that are read from the database. Each of several workers reports the same values: aggregate them with `max`, not `sum`.
 */
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { REPLAY_STAGES, TASK_KINDS, TERMINAL_STAGES } from '../../schema/database.ts';
import { CIRCUITS } from '../../schema/services.ts';
import { within } from '../periodic.ts';
import type { DatabaseReadings, StorageFolder } from '../database/monitoring-api.ts';

/** Readings are kept for this long, however often the metrics are collected. */
const READ_EVERY_MS = 1_000;
/** The size of the bucket is read less often: it is a scan of all its rows. */
const STORAGE_EVERY_MS = 5 * 60_000;
/** A database that answers later is left out of one collection. */
const READ_TIMEOUT_MS = 4_000;
const LIVE_STATES = ['waiting', 'ready', 'running'];
const CIRCUIT_STATES = ['closed', 'half_open', 'open'];
const STORAGE_FOLDERS = ['uploads', 'stems', 'generated'];
/** Causes of `mashup.stuck`, so that each has a value where no job is stuck. */
export const STUCK_CAUSES = [
  'clock',
  'role',
  'queue',
  'workers',
  'version',
  'pause',
  'circuit',
  'lease',
  'silent_service',
  'busy_workers',
  'limit',
  'hook',
  'no_tasks',
] as const;

/** Where the values come from. */
export interface DatabaseSource {
  readings(): Promise<DatabaseReadings>;
  storage(): Promise<StorageFolder[]>;
}

/** Metrics with one value: name, help, and the member of the readings. */
const SINGLE: [name: string, help: string, value: (readings: DatabaseReadings) => number][] = [
  ['mashup_ready_task_age_seconds', 'Age of the oldest ready task.', (r) => r.ready_task_age_sec],
  ['mashup_lease_age_seconds', 'Greatest age of the last heartbeat of a running task.', (r) => r.lease_age_sec],
  ['mashup_ready_tasks_without_entry', 'Ready tasks that have no queue entry.', (r) => r.ready_without_entry],
  ['mashup_queue_age_seconds', 'Age of the oldest queue entry that is due and not taken.', (r) => r.queue_age_sec],
  ['mashup_workers', 'Workers that are alive and take tasks.', (r) => r.workers],
  ['mashup_worker_places', 'Tasks that all workers together can run.', (r) => r.places],
  ['mashup_slots', 'Jobs that may run at one time.', (r) => r.slots],
  ['mashup_pauses', 'Pauses that hold something back.', (r) => r.pauses],
  ['mashup_storage_deletions_due', 'Deletions of files that are due.', (r) => r.deletions_due],
  ['mashup_events_due', 'Events of ended jobs that are due for delivery.', (r) => r.events_due],
];

/** Creates the gauges in a registry. */
function createGauges(registry: Registry) {
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  return {
    single: SINGLE.map(([name, help, value]) => ({ gauge: gauge(name, help), value })),
    jobs: gauge('mashup_live_jobs', 'Live jobs by stage and what they wait for.', ['stage', 'waiting_on']),
    ended: gauge('mashup_jobs_ended_last_hour', 'Jobs that ended in the last hour.', ['result']),
    stuck: gauge('mashup_stuck_jobs', 'Live jobs that make no progress, by cause.', ['cause']),
    tasks: gauge('mashup_tasks', 'Live tasks.', ['kind', 'state']),
    queue: gauge('mashup_queue_entries', 'Entries of the queue.', ['state']),
    circuit: gauge('mashup_circuit_state', '1 for the state that a circuit breaker is in.', ['service', 'state']),
    openFor: gauge('mashup_circuit_open_seconds', 'Time since a circuit opened; 0 if closed.', ['service']),
    bytes: gauge('mashup_storage_stored_bytes', 'Size of the files in the bucket.', ['folder']),
    files: gauge('mashup_storage_files', 'Files in the bucket.', ['folder']),
    age: gauge('mashup_database_readings_age_seconds', 'Time since the last reading that succeeded.'),
  };
}

/** The metrics of one worker that are read from the database. */
export class DatabaseMetrics {
  readonly #gauges: ReturnType<typeof createGauges>;
  readonly #source: DatabaseSource;
  #lastReadAt = performance.now();
  #lastTriedAt = -Infinity;
  #lastStorageAt = -Infinity;

  constructor(registry: Registry, source: DatabaseSource) {
    this.#gauges = createGauges(registry);
    this.#source = source;
  }

  /** Reads the values again if they are old. A database that does not answer leaves the former values and raises their age. */
  async update(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastTriedAt >= READ_EVERY_MS) {
      this.#lastTriedAt = now;
      try {
        await within(READ_TIMEOUT_MS, this.#read());
        this.#lastReadAt = performance.now();
      } catch {
        // The age shows it.
      }
    }
    this.#gauges.age.set((performance.now() - this.#lastReadAt) / 1000);
  }

  async #read(): Promise<void> {
    this.#show(await this.#source.readings());
    if (performance.now() - this.#lastStorageAt < STORAGE_EVERY_MS) return;
    this.#lastStorageAt = performance.now();
    const found = new Map((await this.#source.storage()).map((one) => [one.folder, one]));
    for (const folder of STORAGE_FOLDERS) {
      this.#gauges.bytes.set({ folder }, found.get(folder)?.bytes ?? 0);
      this.#gauges.files.set({ folder }, found.get(folder)?.files ?? 0);
    }
  }

  #show(readings: DatabaseReadings): void {
    const { ended, jobs, queue, single, stuck, tasks } = this.#gauges;
    for (const { gauge, value } of single) gauge.set(value(readings));
    // Zeros first, so that a query has a value where nothing is to be counted.
    jobs.reset();
    for (const stage of REPLAY_STAGES) jobs.set({ stage, waiting_on: 'nothing' }, 0);
    for (const one of readings.live_jobs) jobs.set({ stage: one.stage, waiting_on: one.waiting_on }, one.jobs);
    for (const result of TERMINAL_STAGES) ended.set({ result }, 0);
    for (const one of readings.ended_jobs) ended.set({ result: one.result }, one.jobs);
    for (const cause of STUCK_CAUSES) stuck.set({ cause }, 0);
    for (const one of readings.stuck_jobs) stuck.set({ cause: one.cause }, one.jobs);
    for (const kind of TASK_KINDS) for (const state of LIVE_STATES) tasks.set({ kind, state }, 0);
    for (const one of readings.tasks) tasks.set({ kind: one.kind, state: one.state }, one.tasks);
    queue.set({ state: 'due' }, readings.queue_due);
    queue.set({ state: 'later' }, readings.queue_later);
    queue.set({ state: 'locked' }, readings.queue_locked);
    for (const service of CIRCUITS) this.#showCircuit(service, 'closed', 0);
    for (const { service, state, open_sec } of readings.circuits) this.#showCircuit(service, state, open_sec);
  }

  #showCircuit(service: string, current: string, openSec: number): void {
    const { circuit, openFor } = this.#gauges;
    for (const state of CIRCUIT_STATES) circuit.set({ service, state }, state === current ? 1 : 0);
    openFor.set({ service }, openSec);
  }
}
