import { useRef } from 'react';
import type { KeyboardEvent, PointerEvent } from 'react';
import type { EditedSection } from '../../../../../music/edits/edit-state.ts';
import type { PlanEdits } from '../../../hooks/usePlanEdits.ts';

const PAGE_BARS = 4;
/** A section is not dragged further than this many bars at once. */
const MAX_BARS = 64;

interface Props {
  section: EditedSection;
  /** What the section is called. */
  title: string;
  /** Where the section ends, in per cent of the strip. */
  left: string;
  /** Bars that the section can lose or gain at most, as far as its neighbour goes. */
  range: { least: number; most: number };
  /** Width of one bar of the section, in pixels. */
  barPixels: () => number;
  edits: PlanEdits;
}

/** The edge after a section. It is dragged by whole bars, or moved by the arrow keys. */
export function EdgeHandle({ section: { index, bars }, title, left, range, barPixels, edits }: Props) {
  const handlers = useEdge(index, barPixels, edits);
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`End of ${title}`}
      aria-orientation="horizontal"
      aria-valuemin={range.least}
      aria-valuemax={range.most}
      aria-valuenow={bars}
      aria-valuetext={`${title}: ${bars} ${bars === 1 ? 'bar' : 'bars'}`}
      data-testid="edge"
      className="group absolute inset-y-0 z-10 flex w-6 -translate-x-1/2 cursor-ew-resize touch-none items-center justify-center rounded"
      style={{ left }}
      {...handlers}
    >
      <span className="h-8 w-1.5 rounded-full bg-ink/70 ring-2 ring-panel group-hover:bg-accent group-focus-visible:bg-accent" />
    </div>
  );
}

/** Moves by key: bars. */
const KEYS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -PAGE_BARS,
  PageUp: PAGE_BARS,
  Home: -MAX_BARS,
  End: MAX_BARS,
};

/** What the keys and the pointer do to the edge after a section. */
function useEdge(index: number, barPixels: () => number, edits: PlanEdits) {
  const drag = useRef<{ x: number; wanted: number; bars: number }>(undefined);
  const edge = (by: number) => ({ kind: 'move_edge', section: index, bars: by }) as const;
  /** The move nearest to the wanted one that is possible. */
  const possible = (wanted: number): number => {
    let by = Math.max(-MAX_BARS, Math.min(MAX_BARS, wanted));
    while (by !== 0 && edits.reasonAgainst(edge(by)) !== '') by -= Math.sign(by);
    return by;
  };
  /** Ends a drag: the preview becomes an edit, or is taken back. A drag in a direction that is not possible at all says why. */
  const endDrag = (isKept: boolean): void => {
    const { bars: by, wanted } = drag.current ?? { bars: 0, wanted: 0 };
    drag.current = undefined;
    if (isKept && wanted !== 0) edits.edit(edge(by || Math.sign(wanted)));
    else edits.preview(null);
  };
  return {
    onKeyDown(event: KeyboardEvent) {
      const wanted = KEYS[event.key];
      if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      // A move that is not possible at all says why.
      edits.edit(edge(possible(wanted) || Math.sign(wanted)));
    },
    onPointerDown(event: PointerEvent<HTMLDivElement>) {
      event.currentTarget.setPointerCapture(event.pointerId);
      drag.current = { x: event.clientX, wanted: 0, bars: 0 };
    },
    onPointerMove(event: PointerEvent) {
      if (!drag.current) return;
      drag.current.wanted = Math.round((event.clientX - drag.current.x) / barPixels());
      const by = possible(drag.current.wanted);
      if (by === drag.current.bars) return;
      drag.current.bars = by;
      edits.preview(by === 0 ? null : edge(by));
    },
    onPointerUp: () => endDrag(true),
    // The system took the pointer away, for example by a gesture: nobody released the edge there.
    onPointerCancel: () => endDrag(false),
  };
}
