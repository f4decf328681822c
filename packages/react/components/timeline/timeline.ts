/** What the timeline draws: lanes, colours, positions and the curve of the energy. */
import type { MashupSection } from '../../../../music/plan/timeline.ts';
import { toneOf } from '../common/tones.ts';

export interface TimelineSong {
  songId: string;
  name: string;
}

/** One stem of one song. */
export interface Lane {
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

/** Position of a song among the songs; -1 if it is unknown. */
export function placeOf(songs: TimelineSong[], songId: string | undefined): number {
  return songs.findIndex((song) => song.songId === songId);
}

/** The lanes of a timeline, ordered by song, then by stem. */
export function lanesOf(timeline: MashupSection[], songs: TimelineSong[]): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const { layers } of timeline) {
    for (const { songId, stem } of layers) lanes.set(`${songId} ${stem}`, { songId, stem });
  }
  return [...lanes.values()].sort(byLane(songs));
}

/** Compares what is of lanes, by song, then by stem. */
export const byLane =
  (songs: TimelineSong[]) =>
  (a: Lane, b: Lane): number =>
    placeOf(songs, a.songId) - placeOf(songs, b.songId) || STEM_ORDER.indexOf(a.stem) - STEM_ORDER.indexOf(b.stem);

/** The colour of a lane: that of its song, or of its stem if the song is unknown. */
export function colorOf(lane: Lane, songs: TimelineSong[]): string {
  const place = placeOf(songs, lane.songId);
  return place >= 0 ? toneOf(place).color : (STEM_COLORS[lane.stem] ?? 'rgb(var(--soft))');
}

/** Left edge and width of a section, in per cent of `total` seconds. */
export function boxOf(section: MashupSection, total: number): { left: string; width: string } {
  return { left: `${(section.start / total) * 100}%`, width: `${(section.duration / total) * 100}%` };
}

/** The energy of the sections as one SVG path, in a box of 100 by 100. */
export function energyPath(timeline: MashupSection[], total: number): string {
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

/** The name of a section and what its description says of it: `Drop: the beat returns` is `Drop` and `the beat returns`. */
export function describedParts(description: string): { name: string; text: string } {
  const [name = '', ...rest] = description.split(':');
  return { name: name.trim(), text: rest.join(':').trim() };
}
