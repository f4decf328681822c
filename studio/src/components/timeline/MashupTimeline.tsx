import { Fragment, useEffect, useId, useState } from 'react';
import { toMashupSections } from '../../../../music/plan/timeline.ts';
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import type { PlanSection } from '../../../../schema.ts';
import { clock, decibels, effectInWords, percent, STEM_WORDS } from '../../texts.ts';
import { toneOf } from '../common/tones.ts';

interface TimelineSong {
  song_id: string;
  name: string;
}

export interface MashupTimelineProps {
  /** Sections to draw, or a plan's timeline as it is. */
  timeline: (MashupSection | PlanSection)[];
  /** Names and colours of the songs; without them lanes are coloured by stem. */
  songs?: TimelineSong[];
  /** Position of the audio in seconds. */
  currentTime?: number;
  onSeek?: (seconds: number) => void;
}

interface Lane {
  songId: string | undefined;
  stem: string;
}

const STEM_ORDER = ['vocals', 'melody', 'piano', 'other', 'bass', 'drums'];
const STEM_COLORS: Record<string, string> = {
  vocals: 'rgb(var(--song-3))',
  drums: 'rgb(var(--song-1))',
  bass: 'rgb(var(--accent))',
  other: 'rgb(var(--song-2))',
  melody: 'rgb(var(--good))',
  piano: 'rgb(var(--warn))',
};
/** The quietest layer is still seen. */
const LEAST_OPACITY = 0.3;

function lanesOf(timeline: MashupSection[], songs: TimelineSong[]): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { layers } of timeline) {
    for (const { songId, stem } of layers) lanes.set(`${songId} ${stem}`, { songId, stem });
  }
  const placeOf = (lane: Lane): number => songs.findIndex((song) => song.song_id === lane.songId);
  return [...lanes.values()].sort(
    (a, b) => placeOf(a) - placeOf(b) || STEM_ORDER.indexOf(a.stem) - STEM_ORDER.indexOf(b.stem),
  );
}

/** The energy of each section as one curve, in a box of 100 by 100. */
function energyPath(timeline: MashupSection[], total: number): string {
  const points = timeline.map(({ start, duration, energy_level = 0.5 }) => ({
    x: ((start + duration / 2) / total) * 100,
    y: 96 - energy_level * 90,
  }));
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  let path = `M0 ${first.y}L${first.x} ${first.y}`;
  for (const [index, point] of points.slice(1).entries()) {
    const middle = ((points[index]?.x ?? 0) + point.x) / 2;
    path += `C${middle} ${points[index]?.y} ${middle} ${point.y} ${point.x} ${point.y}`;
  }
  return `${path}L100 ${last.y}`;
}

/** A plan as it sounds: sections in time, a lane for each stem of each song, energy, and where the audio is. */
export function MashupTimeline({ timeline: given, songs = [], currentTime, onSeek }: MashupTimelineProps) {
  const id = useId();
  const timeline = given.flatMap((section) => ('start' in section ? section : toMashupSections([section])));
  const total = Math.max(0, ...timeline.map(({ start, duration }) => start + duration));
  const [chosen, setChosen] = useState<number>();
  const playing = currentTime === undefined ? -1 : timeline.findLastIndex(({ start }) => start <= currentTime + 0.01);
  // A choice holds until the audio is in another section.
  useEffect(() => setChosen(undefined), [playing]);
  if (!(total > 0)) return null;

  const lanes = lanesOf(timeline, songs);
  const placeOf = (songId: string | undefined): number => songs.findIndex((song) => song.song_id === songId);
  const colorOf = (lane: Lane): string =>
    placeOf(lane.songId) >= 0 ? toneOf(placeOf(lane.songId)).color : (STEM_COLORS[lane.stem] ?? 'rgb(var(--soft))');
  const box = (section: MashupSection) => ({
    left: `${(section.start / total) * 100}%`,
    width: `${(section.duration / total) * 100}%`,
  });
  const shown = chosen ?? Math.max(0, playing);
  const section = timeline[shown];
  const curve = energyPath(timeline, total);

  return (
    <div data-testid="timeline">
      <div className="relative pl-16 sm:pl-24">
        <div className="relative h-12" aria-hidden="true">
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" className="absolute inset-0 h-full w-full">
            <path d={`${curve}V100H0Z`} fill="rgb(var(--accent))" opacity="0.14" />
            <path d={curve} fill="none" stroke="rgb(var(--accent))" strokeWidth="2" vectorEffect="non-scaling-stroke" />
          </svg>
          <span className="absolute right-full top-3 w-16 pr-2 text-xs text-soft sm:w-24">Energy</span>
        </div>
        <ol className="relative h-11" aria-label="Sections">
          {timeline.map((one, index) => (
            <li key={one.start} className="absolute inset-y-1 px-px" style={box(one)} data-testid="timeline-section">
              <button
                type="button"
                aria-pressed={index === shown}
                onClick={() => {
                  setChosen(index);
                  onSeek?.(one.start);
                }}
                title={`${clock(one.start)} ${one.description}`}
                className={`h-full w-full truncate rounded-md px-0.5 text-[10px] font-medium transition-colors sm:px-1.5 sm:text-left sm:text-xs ${
                  index === shown ? 'bg-accent text-on-accent' : 'bg-raised hover:bg-line'
                }`}
              >
                {one.description.split(':')[0] || index + 1}
                <span className="sr-only">
                  , {clock(one.start)} to {clock(one.start + one.duration)}
                </span>
              </button>
            </li>
          ))}
        </ol>
        <div aria-hidden="true" className="mt-1 space-y-1">
          {lanes.map((lane, laneIndex) => (
            <div
              key={`${lane.songId} ${lane.stem}`}
              className={`relative h-6 rounded-md bg-raised/40 ${
                laneIndex > 0 && lanes[laneIndex - 1]?.songId !== lane.songId ? '!mt-3' : ''
              }`}
            >
              <span className="absolute right-full flex h-full w-16 items-center gap-1.5 pr-2 text-xs sm:w-24">
                <span className="h-2 w-2 shrink-0 rounded-full" style={{ background: colorOf(lane) }} />
                <span className="truncate">{STEM_WORDS[lane.stem] ?? lane.stem}</span>
              </span>
              {timeline.map((one, index) => {
                const layer = one.layers.find(({ songId, stem }) => songId === lane.songId && stem === lane.stem);
                return (
                  layer && (
                    <div key={one.start} className="absolute inset-y-0 px-px" style={box(one)}>
                      <div
                        data-testid="timeline-layer"
                        className={`h-full rounded-md ${index === playing ? 'ring-1 ring-ink/40' : ''}`}
                        style={{
                          background: colorOf(lane),
                          opacity: Math.max(LEAST_OPACITY, Math.min(1, layer.volume)),
                        }}
                      />
                    </div>
                  )
                );
              })}
            </div>
          ))}
        </div>
        {currentTime !== undefined && (
          <div className="pointer-events-none absolute inset-y-0 left-16 right-0 sm:left-24" aria-hidden="true">
            <div
              data-testid="playhead"
              className="absolute inset-y-0 w-0.5 rounded bg-ink"
              style={{ left: `${Math.min(100, (currentTime / total) * 100)}%` }}
            />
          </div>
        )}
      </div>
      {songs.length > 0 && (
        <ul className="mt-3 flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft" aria-label="Songs by colour">
          {songs.map((song, place) => (
            <li key={song.song_id} className="flex items-center gap-1.5">
              <span className={`h-2 w-2 rounded-full ${toneOf(place).background}`} />
              {song.name}
            </li>
          ))}
        </ul>
      )}
      {section && (
        <section className="mt-4 rounded-xl bg-raised/60 p-4" aria-labelledby={`${id}section`}>
          <div className="flex flex-wrap items-baseline justify-between gap-x-4">
            <h3 id={`${id}section`} className="font-semibold">
              {section.description || `Section ${shown + 1}`}
            </h3>
            <p className="text-xs text-soft">
              {clock(section.start)} – {clock(section.start + section.duration)}
              {section.energy_level !== undefined && ` · energy ${percent(section.energy_level)}`}
            </p>
          </div>
          <ul className="mt-3 space-y-2.5 text-sm">
            {section.layers.map((layer) => (
              <li key={`${layer.songId} ${layer.stem}`} className="grid grid-cols-[0.5rem_1fr] gap-x-2.5">
                <span
                  aria-hidden="true"
                  className="mt-1.5 h-2 w-2 rounded-full"
                  style={{ background: colorOf({ songId: layer.songId, stem: layer.stem }) }}
                />
                <div>
                  <p>
                    <span className="font-medium">{STEM_WORDS[layer.stem] ?? layer.stem}</span>
                    {placeOf(layer.songId) >= 0 && ` of ${songs[placeOf(layer.songId)]?.name}`}
                    {layer.source_start_sec !== undefined && (
                      <span className="text-soft"> from {clock(layer.source_start_sec)}</span>
                    )}
                    <span className="whitespace-nowrap text-soft">
                      {' '}
                      · {layer.volume_db === undefined ? percent(layer.volume) : decibels(layer.volume_db)}
                    </span>
                    {layer.effects?.map((effect) => (
                      <Fragment key={effect}>
                        {' '}
                        <span className="chip">{effectInWords(effect)}</span>
                      </Fragment>
                    ))}
                  </p>
                  {layer.why && <p className="text-soft">{layer.why}</p>}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
