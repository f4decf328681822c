import { useEffect, useState } from 'react';
import { toMashupSections } from '../../../../music/plan/timeline.ts';
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import type { PlanSection } from '../../../../schema.ts';
import { toneOf } from '../common/tones.ts';
import { EnergyCurve } from './EnergyCurve.tsx';
import { LaneRows } from './LaneRows.tsx';
import { SectionButtons } from './SectionButtons.tsx';
import { SectionDetails } from './SectionDetails.tsx';
import type { TimelineSong } from './timeline.ts';

export interface MashupTimelineProps {
  /** Sections to draw, or a plan's timeline as it is. */
  timeline: (MashupSection | PlanSection)[];
  /** Names and colours of the songs. Without them lanes are coloured by stem. */
  songs?: TimelineSong[];
  /** Position of the audio in seconds. */
  currentTime?: number;
  onSeek?: (seconds: number) => void;
}

/** Tolerance when a position is compared with the start of a section, in seconds. */
const START_TOLERANCE_SEC = 0.01;

/** A plan over time: sections, a lane for each stem of each song, energy, and the position of the audio. */
export function MashupTimeline({ timeline: given, songs = [], currentTime, onSeek }: MashupTimelineProps) {
  const timeline = given.flatMap((section) => ('start' in section ? section : toMashupSections([section])));
  const total = Math.max(0, ...timeline.map(({ start, duration }) => start + duration));
  const [chosen, setChosen] = useState<number>();
  const playing = currentTime === undefined ? -1 : startedSections(timeline, currentTime) - 1;
  // The chosen section is shown until the audio reaches another section.
  useEffect(() => setChosen(undefined), [playing]);
  if (!(total > 0)) return null;

  const shown = chosen ?? Math.max(0, playing);
  const section = timeline[shown];
  const choose = (index: number): void => {
    setChosen(index);
    onSeek?.(timeline[index]?.start ?? 0);
  };

  return (
    <div className="mashup-ui" data-testid="timeline">
      <div className="relative pl-24">
        <EnergyCurve timeline={timeline} total={total} />
        <SectionButtons timeline={timeline} total={total} shown={shown} onChoose={choose} />
        <LaneRows timeline={timeline} total={total} songs={songs} playing={playing} />
        {currentTime !== undefined && <Playhead share={currentTime / total} />}
      </div>
      {songs.length > 0 && <SongLegend songs={songs} />}
      {section && <SectionDetails section={section} index={shown} songs={songs} />}
    </div>
  );
}

/** The number of sections that have started; they are in order. */
function startedSections(timeline: MashupSection[], time: number): number {
  return timeline.filter(({ start }) => start <= time + START_TOLERANCE_SEC).length;
}

function Playhead({ share }: { share: number }) {
  return (
    <div className="pointer-events-none absolute inset-y-0 left-24 right-0" aria-hidden="true">
      <div
        data-testid="playhead"
        className="absolute inset-y-0 w-0.5 rounded bg-ink"
        style={{ left: `${Math.min(100, share * 100)}%` }}
      />
    </div>
  );
}

function SongLegend({ songs }: { songs: TimelineSong[] }) {
  return (
    <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft" aria-label="Songs by colour">
      {songs.map((song, place) => (
        <li key={song.songId} className="flex min-w-0 items-center gap-1.5 break-words">
          <span className={`h-2 w-2 shrink-0 rounded-full ${toneOf(place).background}`} />
          {song.name}
        </li>
      ))}
    </ul>
  );
}
