import { isPaused, PauseButton } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import { jobsUrl } from './filters.ts';
import type { Overview, ServiceCondition } from './types.ts';

/** Colours of the conditions. The words say the same. */
const COLORS: Record<ServiceCondition, string> = {
  available: 'bg-good',
  failing: 'bg-bad',
  silent: 'bg-warn',
  being_probed: 'bg-warn',
  unavailable: 'bg-bad',
  paused: 'bg-soft',
};

type Circuit = Overview['circuits'][number];

const seconds = (value: number | null): number => Math.max(0, Math.ceil(value ?? 0));

function conditionText({ condition, probe_in_sec, silent_sec, failures, faults }: Circuit): string {
  switch (condition) {
    case 'unavailable':
      return probe_in_sec === null ? 'unavailable' : `unavailable, next probe in ${seconds(probe_in_sec)} s`;
    case 'being_probed':
      return 'being probed';
    case 'silent':
      return `silent: no answer for ${seconds(silent_sec)} s`;
    case 'failing':
      return `failing: the last ${failures + faults === 1 ? 'call' : `${failures + faults} calls`} failed`;
    default:
      return condition;
  }
}

function statusText(circuit: Circuit): string {
  const { running, at_most, waiting } = circuit;
  return [
    conditionText(circuit),
    `${running}${at_most === null ? '' : ` of ${at_most}`} running`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ].join(' · ');
}

/** The last error that explains the condition, if it has one. */
function errorOf({ condition, faults, last_error, last_fault }: Circuit): string | null {
  if (condition === 'available') return null;
  return faults > 0 ? (last_fault ?? last_error) : last_error;
}

const loadText = (counts: Record<'running' | 'ready' | 'waiting', number>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ') || 'idle';

/** Each service with its circuit breaker and load, and each kind of task, with buttons that pause them. */
export function Services({ overview, onToggle }: { overview: Overview; onToggle: Toggle }) {
  return (
    <section className="panel" aria-label="Services">
      <div className="flex items-center justify-between gap-3">
        <h2 className="font-semibold">Services</h2>
        <button type="button" className="button" onClick={() => onToggle('system', '')}>
          {isPaused(overview, 'system') ? 'Resume everything' : 'Pause everything'}
        </button>
      </div>
      <ul className="mt-3 divide-y divide-line text-sm">
        {overview.circuits.map((circuit) => (
          <li key={circuit.service} className="flex items-center gap-3 py-2" data-testid="circuit">
            <span
              aria-hidden="true"
              className={`h-2.5 w-2.5 shrink-0 rounded-full ${COLORS[circuit.condition]}`}
              data-condition={circuit.condition}
            />
            <span className="min-w-0 flex-1">
              <a className="font-medium hover:underline" href={jobsUrl({ service: circuit.service })}>
                {circuit.service}
              </a>{' '}
              <span className="text-soft">{statusText(circuit)}</span>
              {errorOf(circuit) && <span className="block break-words text-xs text-soft">{errorOf(circuit)}</span>}
            </span>
            <PauseButton overview={overview} scope="service" name={circuit.service} onToggle={onToggle} />
          </li>
        ))}
      </ul>
      <h3 className="label mt-4">Kinds of task</h3>
      <ul className="mt-1 divide-y divide-line text-sm">
        {overview.kinds.map(({ kind, running, ready, waiting }) => (
          <li key={kind} className="flex items-center gap-3 py-1">
            <span className="min-w-0 flex-1">
              <span className="font-medium">{kind}</span>{' '}
              <span className="text-soft">
                {isPaused(overview, 'kind', kind) && 'paused · '}
                {loadText({ running, ready, waiting })}
              </span>
            </span>
            <PauseButton overview={overview} scope="kind" name={kind} onToggle={onToggle} />
          </li>
        ))}
      </ul>
      <p className="mt-3 break-words text-xs text-soft">
        {overview.capacity.map((one) => `${one.what} ${one.in_use} of ${one.at_most}`).join(' · ')}
        {overview.workers.map(
          (one) => ` · ${one.host} (${one.pid}), last heartbeat ${Math.max(0, one.seen_sec).toFixed(0)} s ago`,
        )}
      </p>
    </section>
  );
}
