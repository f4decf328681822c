import type { Overview, PauseScope } from './types.ts';

/** Pauses something, or resumes what is paused. */
export type Toggle = (scope: PauseScope, key: string) => void;

export const isPaused = ({ pauses }: Overview, scope: PauseScope, key = ''): boolean =>
  pauses.some((pause) => pause.scope === scope && pause.key === key);

/** Pauses one thing, or resumes it. */
export function PauseButton({
  overview,
  scope,
  name,
  onToggle,
  looks = 'button-quiet',
}: {
  overview: Overview;
  scope: PauseScope;
  /** What is paused, as its key. */
  name: string;
  onToggle: Toggle;
  looks?: 'button' | 'button-quiet';
}) {
  return (
    <button type="button" className={looks} onClick={() => onToggle(scope, name)}>
      {isPaused(overview, scope, name) ? 'Resume' : 'Pause'} <span className="sr-only">{`${scope} ${name}`}</span>
    </button>
  );
}

/** All that is paused, by whom and why. A paused task finishes what it is doing; nothing new starts. */
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
