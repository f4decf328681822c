import type { Overview, PauseScope } from './types.ts';

/** Pauses a scope, or resumes it if it is paused. */
export type Toggle = (scope: PauseScope, key: string) => void;

/** Whether there is a pause of this scope and key. */
export const isPaused = ({ pauses }: Overview, scope: PauseScope, key = ''): boolean =>
  pauses.some((pause) => pause.scope === scope && pause.key === key);

/** A button that pauses a scope, or resumes it. */
export function PauseButton({
  overview,
  scope,
  name,
  onToggle,
  className = 'button-quiet',
}: {
  overview: Overview;
  scope: PauseScope;
  /** The key of the pause, e.g. the name of a service. */
  name: string;
  onToggle: Toggle;
  className?: 'button' | 'button-quiet';
}) {
  return (
    <button type="button" className={className} onClick={() => onToggle(scope, name)}>
      {isPaused(overview, scope, name) ? 'Resume' : 'Pause'} <span className="sr-only">{`${scope} ${name}`}</span>
    </button>
  );
}

/** All pauses, with actor and reason. Running tasks of a paused scope finish; no new ones start. */
export function Pauses({ overview, onToggle }: { overview: Overview; onToggle: Toggle }) {
  if (overview.pauses.length === 0) return null;
  return (
    <section className="panel border-warn/50" aria-label="Pauses">
      <h2 className="font-semibold text-warn">Paused</h2>
      <ul className="mt-2 divide-y divide-line text-sm">
        {overview.pauses.map(({ scope, key, reason, actor }) => (
          <li key={`${scope} ${key}`} className="flex items-center gap-3 py-2">
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">
                {scope === 'system' ? 'Everything' : `${scope} ${key}`}
              </span>
              <span className="block break-words text-xs text-soft">
                {reason} · {actor}
              </span>
            </span>
            <button type="button" className="button" onClick={() => onToggle(scope, key)}>
              Resume <span className="sr-only">{`${scope} ${key}`}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
