/** How far something is. */
export function ProgressBar({
  label,
  percent,
  tone = 'bg-accent',
  className = 'h-2',
}: {
  /** What it is the progress of. */
  label: string;
  /** 0..100 */
  percent: number;
  /** Class of its colour. */
  tone?: string;
  /** Classes of its height and place. */
  className?: string;
}) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className={`overflow-hidden rounded-full bg-raised ${className}`}
    >
      <div className={`h-full rounded-full transition-[width] duration-500 ${tone}`} style={{ width: `${percent}%` }} />
    </div>
  );
}
