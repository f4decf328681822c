/**
 * The cover of a shared mashup: the waveform of one song rises from the middle and that of the other falls from it, in the colours
 * that the songs have in the timeline; a third song lies between them. The width is the time of the mashup: its sections are bands, as
 * light as they are loud, and a song is bright where it is heard. Equal mashups have equal covers.
 */
import { encode } from 'fast-png';
import type { SharedCover, SharedSection } from '../../../schema/api.ts';
import { createCanvas, fillBox, fillRounded, mix } from './canvas.ts';
import type { Canvas, Color } from './canvas.ts';

/** The size that previews of links are shown in. */
export const COVER_WIDTH = 1200;
export const COVER_HEIGHT = 630;

/** The dark theme of the studio: `--song-1` to `--song-3`, ground and ink. */
const SONG_COLORS: readonly Color[] = [
  [245, 165, 36],
  [45, 212, 191],
  [240, 128, 190],
];
const GROUND: readonly [Color, Color] = [
  [22, 22, 31],
  [9, 9, 13],
];
const INK: Color = [242, 240, 247];

const MARGIN = 48;
const BARS = 92;
const STEP = (COVER_WIDTH - 2 * MARGIN) / BARS;
const BAR_WIDTH = 7.5;
/** Half of the gap in the middle, where the waveforms meet. */
const GAP = 3;
const MAX_BAR = 236;
const MIN_BAR = 12;
/** Heights of a third song and of the gap that it needs. */
const MIDDLE_BAR = 52;
const MIDDLE_GAP = 62;
const QUIET_OPACITY = 0.17;
const BAND_TOP = 28;

/** The cover as a PNG file. */
export function drawCover(cover: SharedCover): Uint8Array {
  const canvas = createCanvas(COVER_WIDTH, COVER_HEIGHT, (row) => mix(GROUND[0], GROUND[1], row / COVER_HEIGHT));
  const sections = cover.timeline.filter(({ duration_sec }) => duration_sec > 0);
  const total = Math.max(1, ...sections.map(({ time_start_sec, duration_sec }) => time_start_sec + duration_sec));
  drawBands(canvas, sections, total);
  const gap = cover.songs.length > 2 ? MIDDLE_GAP : GAP;
  cover.songs.slice(0, 3).forEach((song, place) => {
    const heights = heightsOf(song.peaks, cover.timeline, song.energy ?? 0.5);
    const presence = presenceOf(song.songId, sections, total);
    for (let bar = 0; bar < BARS; bar++) drawBar(canvas, place, bar, heights[bar] ?? 0, presence[bar] ?? 0, gap);
  });
  return encode({ width: COVER_WIDTH, height: COVER_HEIGHT, data: canvas.data, channels: 3 }, { zlib: { level: 6 } });
}

function drawBands(canvas: Canvas, sections: readonly SharedSection[], total: number): void {
  const x = (sec: number): number => MARGIN + (sec / total) * (COVER_WIDTH - 2 * MARGIN);
  sections.forEach((section, n) => {
    const [left, right] = [x(section.time_start_sec), x(section.time_start_sec + section.duration_sec)];
    const box = { top: BAND_TOP, bottom: COVER_HEIGHT - BAND_TOP, left: left + (n === 0 ? 0 : 2), right };
    fillRounded(canvas, box, 10, () => INK, 0.02 + 0.055 * section.energy_level);
    // The energy of the section, as a line at its foot.
    const line = { ...box, top: COVER_HEIGHT - BAND_TOP - 4, left: box.left + 12, right: right - 12 };
    fillBox(canvas, line, INK, 0.06 + 0.3 * section.energy_level);
  });
}

/** One bar of a song: the first rises, the second falls, and the third does both from the middle. */
function drawBar(canvas: Canvas, place: number, bar: number, height: number, presence: number, gap: number): void {
  const middle = COVER_HEIGHT / 2;
  const left = MARGIN + bar * STEP + (STEP - BAR_WIDTH) / 2;
  const color = SONG_COLORS[place] ?? INK;
  const length = MIN_BAR + height * ((place === 2 ? MIDDLE_BAR : MAX_BAR - gap) - MIN_BAR);
  const box =
    place === 2
      ? { left, right: left + BAR_WIDTH, top: middle - length, bottom: middle + length }
      : place === 0
        ? { left, right: left + BAR_WIDTH, top: middle - gap - length, bottom: middle - gap }
        : { left, right: left + BAR_WIDTH, top: middle + gap, bottom: middle + gap + length };
  const colorAt = (row: number): Color => mix(color, INK, Math.max(0, 0.42 - Math.abs(row - middle) / MAX_BAR));
  fillRounded(canvas, box, BAR_WIDTH / 2, colorAt, QUIET_OPACITY + (1 - QUIET_OPACITY) * presence);
}

/**
 * Heights of the bars, 0 to 1: the waveform of a song from its beginning to its end, stretched so that its quiet and its loud parts
 * differ. A song without a waveform has the energy of the sections.
 */
function heightsOf(peaks: readonly number[], timeline: readonly SharedSection[], energy: number): number[] {
  const values = peaks.length > 0 ? peaks : timeline.flatMap((section) => wave(section, energy));
  const bars = Array.from({ length: BARS }, (_, bar) => meanOf(values, bar / BARS, (bar + 1) / BARS));
  const sorted = [...bars].sort((a, b) => a - b);
  const [low = 0, high = 1] = [sorted[Math.floor(BARS * 0.04)], sorted[Math.floor(BARS * 0.97)]];
  const range = Math.max(high - low, 0.08);
  return bars.map((value) => Math.min(1, Math.max(0, 0.14 + (0.86 * (value - low)) / range)) ** 1.15);
}

/** Three values a second around the energy of a section, different for songs of different energy. */
function wave({ duration_sec, energy_level }: SharedSection, energy: number): number[] {
  return Array.from(
    { length: Math.min(3000, Math.ceil(duration_sec * 3)) },
    (_, n) => energy_level * (0.7 + 0.2 * Math.sin(n * (0.31 + energy / 4)) + 0.1 * Math.sin(n * 1.7 + 6 * energy)),
  );
}

function meanOf(values: readonly number[], from: number, to: number): number {
  const start = Math.min(values.length - 1, Math.floor(from * values.length));
  const part = values.slice(start, Math.max(start + 1, Math.floor(to * values.length)));
  return part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length);
}

/** How much of each bar's time a song is heard, 0 to 1. */
function presenceOf(songId: string, sections: readonly SharedSection[], total: number): number[] {
  const heard = sections.filter(({ layers }) =>
    layers.some((layer) => layer.songId === songId && layer.volume_db > -40),
  );
  return Array.from({ length: BARS }, (_, bar) => {
    const [from, to] = [(bar / BARS) * total, ((bar + 1) / BARS) * total];
    const overlap = heard.map(({ time_start_sec: start, duration_sec: length }) =>
      Math.max(0, Math.min(to, start + length) - Math.max(from, start)),
    );
    return Math.min(1, overlap.reduce((sum, sec) => sum + sec, 0) / (to - from));
  });
}
