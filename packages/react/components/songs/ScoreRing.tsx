const RADIUS = 26;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;

/** A score of 0..100 as a ring around its number. */
export function ScoreRing({ score, color }: { score: number; color: string }) {
  return (
    <div className="relative h-16 w-16 shrink-0">
      <svg viewBox="0 0 64 64" className="-rotate-90" aria-hidden="true">
        <circle cx="32" cy="32" r={RADIUS} fill="none" stroke="rgb(var(--raised))" strokeWidth="6" />
        <circle
          cx="32"
          cy="32"
          r={RADIUS}
          fill="none"
          stroke={color}
          strokeWidth="6"
          strokeLinecap="round"
          strokeDasharray={`${(score / 100) * CIRCUMFERENCE} ${CIRCUMFERENCE}`}
        />
      </svg>
      <span className="absolute inset-0 grid place-items-center text-lg font-semibold">{Math.round(score)}</span>
    </div>
  );
}
