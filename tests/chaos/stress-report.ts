/** The report of a stress test. */
import { percentile, printTable } from '../../bench/table.ts';
import type { ChaosFixture } from './chaos-fixture.ts';
import type { FaultInjection } from './fault-injection.ts';
import type { RecoveryMonitor } from './recovery-monitor.ts';

/** Violations that are printed. */
const MAX_PRINTED = 40;

export interface StressReport {
  seed: number;
  jobs: number;
  seconds: number;
  /** Number of jobs by stage or error code. */
  ended: Record<string, number>;
  /** Numbers of tasks, attempts, failures, recoveries, events, results, replays and calls. */
  work: Record<string, number>;
  commands: Record<string, number>;
  serviceFaults: Record<string, number>;
  recovery: {
    loss: string;
    tasks: number;
    recovered_p50_sec: number;
    recovered_max_sec: number;
    started_p50_sec: number;
    started_p95_sec: number;
    started_max_sec: number;
  }[];
  /** Empty if the test has passed. */
  violations: string[];
}

/** Collects the numbers of a run from the database, the commands and the monitor. */
export async function collectReport(
  fixture: ChaosFixture,
  injection: FaultInjection,
  monitor: RecoveryMonitor,
): Promise<Omit<StressReport, 'seed' | 'jobs' | 'seconds' | 'violations'>> {
  const ended = await fixture.query(
    (sql) => sql<{ outcome: string; n: number }[]>`
    select coalesce(error_code, stage) as outcome, count(*)::int as n from mashup_jobs group by 1 order by 2 desc`,
  );
  const [work] = await fixture.query(
    (sql) => sql<Record<string, number>[]>`
    select (select count(*)::int from mashup.tasks) as tasks, (select sum(attempt)::int from mashup.tasks) as attempts,
      (select sum(failures)::int from mashup.tasks) as failures, (select sum(crashes)::int from mashup.tasks) as recovered_from_lost_workers,
      (select count(*)::int from mashup_job_events) as events, (select count(*)::int from mashup_results) as results,
      (select count(*)::int from mashup_job_events where type = 'replay') as replays`,
  );
  return {
    ended: Object.fromEntries(ended.map(({ outcome, n }) => [outcome, n])),
    work: { ...work, service_calls: fixture.services.calls },
    commands: Object.fromEntries([...injection.counts].sort()),
    serviceFaults: Object.fromEntries([...fixture.services.faults].sort()),
    recovery: (['killed', 'stopped', 'cut'] as const).map((loss) => recoveryOf(monitor, loss)),
  };
}

function recoveryOf({ recoveries }: RecoveryMonitor, loss: string): StressReport['recovery'][number] {
  const own = recoveries.filter((recovery) => recovery.loss === loss);
  const recovered = own.map(({ recoveredSec }) => recoveredSec);
  const started = own.flatMap(({ startedSec }) => startedSec ?? []);
  return {
    loss,
    tasks: own.length,
    recovered_p50_sec: percentile(recovered, 0.5),
    recovered_max_sec: percentile(recovered, 1),
    started_p50_sec: percentile(started, 0.5),
    started_p95_sec: percentile(started, 0.95),
    started_max_sec: percentile(started, 1),
  };
}

/** Prints a report. */
export function printReport(report: StressReport): void {
  printTable(`${report.jobs} jobs ended in ${report.seconds} s`, [report.ended]);
  printTable('Work', [report.work]);
  printTable('Fault commands', [report.commands]);
  printTable(
    'Faults of services',
    Object.entries(report.serviceFaults).map(([fault, calls]) => ({ fault, calls })),
  );
  printTable('Tasks of lost workers: seconds until recovered, and until started again', report.recovery);
  console.log(
    report.violations.length === 0
      ? '\nNo violations.'
      : `\n${report.violations.length} VIOLATIONS\n${report.violations.slice(0, MAX_PRINTED).join('\n')}`,
  );
}
