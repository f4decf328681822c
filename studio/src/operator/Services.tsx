import { isPaused, PauseButton } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import { jobsUrl } from './filters.ts';
import { agoText, roughText } from './times.ts';
import type { Overview, ServiceCondition } from './types.ts';

/** Colours of the conditions. The words say the same. */
const COLORS: Record<ServiceCondition, string> = {
  available: 'bg-good',
  failing: 'bg-bad',
  silent: 'bg-warn',
  being_probed: 'bg-warn',
  unavailable: 'bg-bad',
  not_answering: 'bg-bad',
  not_heard: 'bg-warn',
  paused: 'bg-soft',
};

type Circuit = Overview['circuits'][number];

const seconds = (value: number | null): number => Math.max(0, Math.ceil(value ?? 0));

function conditionText({
  condition,
  probe_in_sec,
  silent_sec,
  failures,
  faults,
  last_fault_sec,
  waiting,
  heard_sec,
  unanswered_sec,
}: Circuit): string {
  switch (condition) {
    case 'unavailable':
      // The probe is a task: without one that waits there is none.
      if (probe_in_sec === null || (probe_in_sec <= 0 && waiting === 0)) return 'unavailable, the next task probes it';
      return `unavailable, next probe in ${seconds(probe_in_sec)} s`;
    case 'being_probed':
      return 'being probed';
    case 'silent':
      return `silent: no answer for ${seconds(silent_sec)} s`;
    case 'failing':
      return `failing: the last ${failures + faults === 1 ? 'call' : `${failures + faults} calls`} failed${
        last_fault_sec === null ? '' : `, ${agoText(last_fault_sec)}`
      }`;
    case 'not_answering':
      return `no answer for ${roughText(seconds(unanswered_sec))}`;
    case 'not_heard':
      return heard_sec === null ? 'not heard from yet' : `last heard from ${agoText(heard_sec)}`;
    default:
      return condition;
  }
}

/** The kinds of task of a service that are paused while the service is not. */
function pausedKinds(overview: Overview, { service, condition }: Circuit): string[] {
  if (condition === 'paused') return [];
  return overview.kinds
    .filter((one) => one.service === service && isPaused(overview, 'kind', one.kind))
    .map(({ kind }) => kind);
}

/** Nothing is shown as well that is paused in part. */
function colorOf(overview: Overview, circuit: Circuit): string {
  const isPartlyPaused = circuit.condition === 'available' && pausedKinds(overview, circuit).length > 0;
  return COLORS[isPartlyPaused ? 'paused' : circuit.condition];
}

function statusText(overview: Overview, circuit: Circuit): string {
  const { running, at_most, waiting } = circuit;
  const paused = pausedKinds(overview, circuit);
  return [
    conditionText(circuit),
    ...(paused.length > 0 ? [`${paused.join(' and ')} paused`] : []),
    `${running}${at_most === null ? '' : ` of ${at_most}`} running`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ].join(' · ');
}

/** The last error that explains the condition, if it has one. */
function errorOf({ condition, failures, faults, last_error, last_fault }: Circuit): string | null {
  if (condition === 'available' || condition === 'not_heard') return null;
  return failures === 0 && faults > 0 ? (last_fault ?? last_error) : last_error;
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
              className={`h-2.5 w-2.5 shrink-0 rounded-full ${colorOf(overview, circuit)}`}
              data-condition={circuit.condition}
            />
            <span className="min-w-0 flex-1">
              <a className="font-medium hover:underline" href={jobsUrl({ service: circuit.service })}>
                {circuit.service}
              </a>{' '}
              <span className="text-soft">{statusText(overview, circuit)}</span>
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
