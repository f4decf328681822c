const BANDS = [
  { from: 80, words: 'Made for each other', color: 'text-good', stroke: 'rgb(var(--good))' },
  { from: 60, words: 'A good match', color: 'text-good', stroke: 'rgb(var(--good))' },
  { from: 40, words: 'Workable', color: 'text-warn', stroke: 'rgb(var(--warn))' },
  { from: -Infinity, words: 'A stretch', color: 'text-bad', stroke: 'rgb(var(--bad))' },
];
const RADIUS = 26;
const ROUND = 2 * Math.PI * RADIUS;

/** How well songs go together: a score of 0..100, what speaks against it, and what to do. */
export function CompatibilityScore({
  score,
  reasons,
  suggestions,
  className = '',
}: {
  score: number;
  reasons: string[];
  suggestions: string[];
  className?: string;
}) {
  const bounded = Math.min(100, Math.max(0, Number.isFinite(score) ? score : 0));
  const band = BANDS.find(({ from }) => bounded >= from) ?? BANDS[0];
  return (
    <div className={className} data-testid="compatibility">
      <div className="flex items-center gap-4">
        <div className="relative h-16 w-16 shrink-0">
          <svg viewBox="0 0 64 64" className="-rotate-90" aria-hidden="true">
            <circle cx="32" cy="32" r={RADIUS} fill="none" stroke="rgb(var(--raised))" strokeWidth="6" />
            <circle
              cx="32"
              cy="32"
              r={RADIUS}
              fill="none"
              stroke={band?.stroke}
              strokeWidth="6"
              strokeLinecap="round"
              strokeDasharray={`${(bounded / 100) * ROUND} ${ROUND}`}
            />
          </svg>
          <span className="absolute inset-0 grid place-items-center text-lg font-semibold">{Math.round(bounded)}</span>
        </div>
        <div>
          <p className={`text-lg font-semibold ${band?.color}`}>{band?.words}</p>
          <p className="text-sm text-soft">{Math.round(bounded)} of 100</p>
        </div>
      </div>
      {suggestions.length > 0 && (
        <ul className="mt-4 space-y-2 text-sm" aria-label="What to do">
          {suggestions.map((text) => (
            <li key={text} className="flex gap-2">
              <span aria-hidden="true" className="text-good">
                →
              </span>
              {text}
            </li>
          ))}
        </ul>
      )}
      {reasons.length > 0 && (
        <ul className="mt-2 space-y-2 text-sm text-soft" aria-label="What to watch out for">
          {reasons.map((text) => (
            <li key={text} className="flex gap-2">
              <span aria-hidden="true" className="text-warn">
                !
              </span>
              {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
