import { ScoreRing } from './ScoreRing.tsx';

const POOR = { from: -Infinity, text: 'Poor match', color: 'text-bad', stroke: 'rgb(var(--bad))' };
const BANDS = [
  { from: 80, text: 'Excellent match', color: 'text-good', stroke: 'rgb(var(--good))' },
  { from: 60, text: 'Good match', color: 'text-good', stroke: 'rgb(var(--good))' },
  { from: 40, text: 'Fair match', color: 'text-warn', stroke: 'rgb(var(--warn))' },
  POOR,
];

/** How well songs fit together: a score, what speaks against it, and what to do. */
export function CompatibilityScore({
  score,
  reasons,
  suggestions,
  className = '',
}: {
  /** 0..100; other values are clamped. */
  score: number;
  /** What speaks against the pair. */
  reasons: string[];
  /** What to do about it. */
  suggestions: string[];
  className?: string;
}) {
  const clamped = Math.min(100, Math.max(0, Number.isFinite(score) ? score : 0));
  const band = BANDS.find(({ from }) => clamped >= from) ?? POOR;
  return (
    <div className={`mashup-ui ${className}`} data-testid="compatibility">
      <div className="flex items-center gap-4">
        <ScoreRing score={clamped} color={band.stroke} />
        <div>
          <p className={`text-lg font-semibold ${band.color}`}>{band.text}</p>
          <p className="text-sm text-soft">{Math.round(clamped)} of 100</p>
        </div>
      </div>
      <MarkedList label="What to do" texts={suggestions} mark="→" markColor="text-good" className="mt-4" />
      <MarkedList
        label="What to watch out for"
        texts={reasons}
        mark="!"
        markColor="text-warn"
        className="mt-2 text-soft"
      />
    </div>
  );
}

function MarkedList({
  label,
  texts,
  mark,
  markColor,
  className,
}: {
  label: string;
  texts: string[];
  mark: string;
  markColor: string;
  className: string;
}) {
  if (texts.length === 0) return null;
  return (
    <ul className={`space-y-2 text-sm ${className}`} aria-label={label}>
      {texts.map((text) => (
        <li key={text} className="flex gap-2">
          <span aria-hidden="true" className={markColor}>
            {mark}
          </span>
          {text}
        </li>
      ))}
    </ul>
  );
}
