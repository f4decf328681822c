import { isPaused, PauseButton } from './Pauses.tsx';
import type { Toggle } from './Pauses.tsx';
import type { Overview } from './types.ts';

const CIRCUIT_COLORS = { closed: 'bg-good', half_open: 'bg-warn', open: 'bg-bad' } as const;
const CIRCUIT_TEXTS = { closed: 'available', half_open: 'being probed', open: 'unavailable' } as const;

type Circuit = Overview['circuits'][number];

function statusText(circuit: Circuit, isOnPause: boolean): string {
  const { state, running, at_most, waiting, probe_in_sec } = circuit;
  const probe =
    state === 'open' && probe_in_sec !== null ? `, next probe in ${Math.max(0, Math.ceil(probe_in_sec))} s` : '';
  return [
    isOnPause ? 'paused' : `${CIRCUIT_TEXTS[state]}${probe}`,
    `${running}${at_most === null ? '' : ` of ${at_most}`} running`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ].join(' · ');
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
            <span aria-hidden="true" className={`h-2.5 w-2.5 shrink-0 rounded-full ${CIRCUIT_COLORS[circuit.state]}`} />
            <span className="min-w-0 flex-1">
              <span className="font-medium">{circuit.service}</span>{' '}
              <span className="text-soft">{statusText(circuit, isPaused(overview, 'service', circuit.service))}</span>
              {circuit.state !== 'closed' && circuit.last_error && (
                <span className="block break-words text-xs text-soft">{circuit.last_error}</span>
              )}
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
