import type { MashupSection } from '../../../../music/plan/timeline.ts';
import { energyPath } from './timeline.ts';

/** The energy of the sections, as a curve above them. */
export function EnergyCurve({ timeline, total }: { timeline: MashupSection[]; total: number }) {
  const curve = energyPath(timeline, total);
  return (
    <div className="relative h-12" aria-hidden="true">
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" className="absolute inset-0 h-full w-full">
        <path d={`${curve}V100H0Z`} fill="rgb(var(--accent))" opacity="0.14" />
        <path d={curve} fill="none" stroke="rgb(var(--accent))" strokeWidth="2" vectorEffect="non-scaling-stroke" />
      </svg>
      <span className="absolute right-full top-3 w-24 pr-2 text-xs text-soft">Energy</span>
    </div>
  );
}
