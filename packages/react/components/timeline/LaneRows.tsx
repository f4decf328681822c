import type { MashupSection } from '../../../../music/plan/timeline.ts';
import { stemTitle } from '../../../../music/theory/stem-texts.ts';
import { boxOf, colorOf, lanesOf } from './timeline.ts';
import type { Lane, TimelineSong } from './timeline.ts';

/** Lower limit of a layer's opacity, so that quiet layers remain visible. */
const MIN_OPACITY = 0.3;

interface Props {
  timeline: MashupSection[];
  /** Duration of the timeline in seconds. */
  total: number;
  songs: TimelineSong[];
  /** Index of the section that is playing; -1 for none. */
  playing: number;
}

/** A row for each stem of each song, with its layers. Louder layers are more opaque. */
export function LaneRows(props: Props) {
  const lanes = lanesOf(props.timeline, props.songs);
  return (
    <div aria-hidden="true" className="mt-1 space-y-1">
      {lanes.map((lane, index) => (
        <LaneRow
          key={`${lane.songId} ${lane.stem}`}
          {...props}
          lane={lane}
          isNextSong={index > 0 && lanes[index - 1]?.songId !== lane.songId}
        />
      ))}
    </div>
  );
}

function LaneRow({ timeline, total, songs, playing, lane, isNextSong }: Props & { lane: Lane; isNextSong: boolean }) {
  const color = colorOf(lane, songs);
  return (
    <div className={`relative h-6 rounded-md bg-raised/40 ${isNextSong ? '!mt-3' : ''}`}>
      <span className="absolute right-full flex h-full w-24 items-center gap-1.5 pr-2 text-xs">
        <span className="h-2 w-2 shrink-0 rounded-full" style={{ background: color }} />
        <span className="truncate">{stemTitle(lane.stem)}</span>
      </span>
      {timeline.map((section, index) => {
        const layer = section.layers.find(({ songId, stem }) => songId === lane.songId && stem === lane.stem);
        return (
          layer && (
            <div key={section.start} className="absolute inset-y-0 px-px" style={boxOf(section, total)}>
              <div
                data-testid="timeline-layer"
                className={`h-full rounded-md ${index === playing ? 'ring-1 ring-ink/40' : ''}`}
                style={{ background: color, opacity: Math.max(MIN_OPACITY, Math.min(1, layer.volume)) }}
              />
            </div>
          )
        );
      })}
    </div>
  );
}
