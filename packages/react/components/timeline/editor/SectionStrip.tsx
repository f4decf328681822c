import { useRef } from 'react';
import { toMashupSections } from '../../../../../music/plan/timeline.ts';
import { MIN_SECTION_BARS } from '../../../../../music/edits/section-edits.ts';
import type { EditedSection } from '../../../../../music/edits/edit-state.ts';
import type { PlanEdits } from '../../../hooks/usePlanEdits.ts';
import { LaneRows } from '../LaneRows.tsx';
import { boxOf, describedParts } from '../timeline.ts';
import type { TimelineSong } from '../timeline.ts';
import { EdgeHandle } from './EdgeHandle.tsx';

/** Room for each section in rem, so that its edges can be touched. The strip scrolls where the page is narrower. */
const SECTION_REM = 4.5;

interface Props {
  edits: PlanEdits;
  songs: TimelineSong[];
  /** Index of the section that is edited. */
  chosen: number;
  onChoose: (index: number) => void;
}

/** The sections in a row, with an edge to drag after each, and below them their layers. */
export function SectionStrip({ edits, songs, chosen, onChoose }: Props) {
  const strip = useRef<HTMLDivElement>(null);
  const { plan, sections } = edits;
  const timeline = toMashupSections(plan.masterplan.timeline);
  const total = timeline.reduce((sum, { duration }) => sum + duration, 0);
  return (
    <div className="-mx-1 overflow-x-auto px-1 pb-2" data-testid="section-strip">
      <div className="relative mr-4 pl-24" style={{ minWidth: `${6 + sections.length * SECTION_REM}rem` }}>
        <div ref={strip} className="relative h-14" role="group" aria-label="Sections">
          {sections.map((section, at) => {
            const drawn = timeline[at];
            if (!drawn) return null;
            const next = sections[at + 1];
            return (
              <div key={section.index}>
                <div className="absolute inset-y-1 px-0.5" style={boxOf(drawn, total)}>
                  <SectionButton {...{ section, chosen, onChoose }} />
                </div>
                <EdgeHandle
                  section={section}
                  title={titleOf(section)}
                  left={`${((drawn.start + drawn.duration) / total) * 100}%`}
                  range={{
                    least: Math.min(section.bars, MIN_SECTION_BARS),
                    most: section.bars + Math.max(0, (next?.bars ?? 64) - MIN_SECTION_BARS),
                  }}
                  barPixels={() => (((strip.current?.clientWidth ?? 0) * drawn.duration) / total || 1) / section.bars}
                  edits={edits}
                />
              </div>
            );
          })}
        </div>
        <LaneRows timeline={timeline} total={total} songs={songs} playing={positionOf(sections, chosen)} />
      </div>
    </div>
  );
}

function SectionButton({
  section,
  chosen,
  onChoose,
}: {
  section: EditedSection;
  chosen: number;
  onChoose: (index: number) => void;
}) {
  const isChosen = section.index === chosen;
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={() => onChoose(section.index)}
      data-testid="edited-section"
      className={`h-full w-full truncate rounded-md px-2.5 text-left text-xs font-medium transition-colors ${
        isChosen ? 'bg-accent text-on-accent' : 'bg-raised hover:bg-line'
      }`}
    >
      {titleOf(section)}
      <span className="block truncate text-[10px] font-normal">
        {section.bars} {section.bars === 1 ? 'bar' : 'bars'}
      </span>
    </button>
  );
}

/** The short name of a section: `Drop`. */
export const titleOf = ({ section, index }: EditedSection): string =>
  describedParts(section.description).name || `Section ${index + 1}`;

const positionOf = (sections: readonly EditedSection[], index: number): number =>
  sections.findIndex((section) => section.index === index);
