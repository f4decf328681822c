import type { MashupSection } from '../../../../music/plan/timeline.ts';
import { clock } from '../../texts.ts';
import { boxOf, describedParts } from './timeline.ts';

/** The sections as buttons, each as wide as it is long. */
export function SectionButtons({
  timeline,
  total,
  shown,
  onChoose,
}: {
  timeline: MashupSection[];
  /** Duration of the timeline in seconds. */
  total: number;
  /** Index of the section whose details are shown. */
  shown: number;
  onChoose: (index: number) => void;
}) {
  return (
    <ol className="relative h-11" aria-label="Sections">
      {timeline.map((section, index) => (
        <li
          key={section.start}
          className="absolute inset-y-1 px-px"
          style={boxOf(section, total)}
          data-testid="timeline-section"
        >
          <button
            type="button"
            aria-pressed={index === shown}
            onClick={() => onChoose(index)}
            title={`${clock(section.start)} ${section.description}`}
            className={`h-full w-full truncate rounded-md px-0.5 text-[10px] font-medium transition-colors sm:px-1.5 sm:text-left sm:text-xs ${
              index === shown ? 'bg-accent text-on-accent' : 'bg-raised hover:bg-line'
            }`}
          >
            {describedParts(section.description).name || index + 1}
            <span className="sr-only">
              , {clock(section.start)} to {clock(section.start + section.duration)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
