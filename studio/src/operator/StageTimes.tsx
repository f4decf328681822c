import { STAGE_NAMES, TERMINAL_STAGES } from '../../../schema/stages.ts';
import type { StageTimes as Times } from './types.ts';

/** Time that jobs spent in each stage during the last day. The bar ends at the 95th percentile; the mark is the median. */
export function StageTimes({ times: all }: { times: Times[] }) {
  // The time between a job's end and its replay is not work.
  const times = all.filter(({ stage }) => !TERMINAL_STAGES.includes(stage));
  const longest = Math.max(0.1, ...times.map((one) => one.p95_sec));
  return (
    <section className="panel" aria-label="Throughput">
      <h2 className="font-semibold">Time in each stage, last day</h2>
      {times.length === 0 && <p className="mt-2 text-sm text-soft">No data yet.</p>}
      <dl className="mt-3 space-y-3">
        {times.map((one) => (
          <div key={one.stage} className="text-sm">
            <dt className="flex justify-between gap-2">
              {STAGE_NAMES[one.stage]}
              <span className="text-xs text-soft">
                {one.passed} passed{one.per_hour > 0 && ` · ${one.per_hour} an hour`}
              </span>
            </dt>
            <dd>
              <div className="relative mt-1 h-2 rounded-full bg-raised" aria-hidden="true">
                <div
                  className="h-full rounded-full bg-accent/50"
                  style={{ width: `${(one.p95_sec / longest) * 100}%` }}
                />
                <div
                  className="absolute -inset-y-0.5 w-1 rounded bg-accent"
                  style={{ left: `${(one.p50_sec / longest) * 100}%` }}
                />
              </div>
              <p className="mt-1 text-xs text-soft">
                p50 {one.p50_sec} s · p95 {one.p95_sec} s
              </p>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
