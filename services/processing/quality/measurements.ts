/** Collects the input of the layer checks: measurements of all sections, drum onsets of the songs, and what the plan expects. */
import { matchTempo } from '../../../music/theory/tempo.ts';
import type { Stem } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { LayerMeasurement } from '../measure/layer.ts';
import { ENVELOPE_HOP, type OnsetEnvelopes } from '../measure/onsets.ts';
import type { Arrangement, LayerSlice } from '../plan/arrangement.ts';
import type { RenderPlan, RenderSection } from '../plan/plan.ts';
import { type Run, sourceAt } from '../plan/run.ts';
import { mostPlayed, type Tuning } from '../plan/tuning.ts';
import type { BeatGrid } from '../song/beat-grid.ts';
import type { RenderSong } from '../song/song.ts';
import type { Expectations, MeasuredSection } from './measured-section.ts';
import { songsOnBeat, tempoChanges } from './tempo-changes.ts';

/** A downbeat nearer to a bar line than this, in beats, is on it. */
const ON_BAR_BEATS = 0.25;

/** A rendered candidate: its plan, arrangement, and the measured layers of each section. */
type Rendered = {
  plan: RenderPlan;
  arrangement: Arrangement;
  tuning: Tuning;
  layers: readonly LayerMeasurement[][];
};

/** Beats per bar of each song; null for a song on the beat whose meter is not known. A song that is only free has no bars to coincide. */
function metersOf(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Map<string, number | null> {
  const onBeat = new Set(plan.sections.flatMap((section) => [...songsOnBeat(section)]));
  const hasMeter = ([id, { grid }]: [string, RenderSong]): boolean => grid.meterKnown || onBeat.has(id);
  return new Map([...songs].filter(hasMeter).map(([id, { grid }]) => [id, grid.meterKnown ? grid.meter : null]));
}

/**
 * Collects the measurements of a rendered candidate.
 * @param drumOnsets onsets of the songs' drums in their own time, by song
 */
export function collectMeasurements(
  { plan, arrangement, tuning, layers }: Rendered,
  songs: ReadonlyMap<string, RenderSong>,
  drumOnsets: ReadonlyMap<string, OnsetEnvelopes>,
): { sections: MeasuredSection[]; expected: Expectations } {
  const sections = plan.sections.map((section, i): MeasuredSection => {
    const own = layers[i]!;
    const onBeat = songsOnBeat(section);
    return {
      durationSec: section.end - section.start,
      bpm: section.bpm,
      layers: own,
      onsets: sectionOnsets(section, own, arrangement, i, songs, drumOnsets),
      free: new Set(own.map(({ songId }) => songId).filter((id) => !onBeat.has(id) && songs.get(id)!.hasBeat)),
      otherPulse: new Set([...onBeat].filter((id) => matchTempo(songs.get(id)!.grid.bpm, section.bpm).multiple !== 1)),
    };
  });
  const beatStems: Stem[] = ['drums', 'bass'];
  return {
    sections,
    expected: {
      sampleRate: SAMPLE_RATE,
      beatsPerBar: plan.beatsPerBar,
      anchor: mostPlayed(plan, beatStems) ?? [...songs.keys()][0]!,
      tempoChange: Math.max(0, ...tempoChanges(plan, songs).values()),
      meters: metersOf(plan, songs),
      downbeatsOnBars: downbeatsOnBars(plan, arrangement, songs, tuning),
    },
  };
}

/** Drum onsets of the songs that keep the beat, in the time of a section: of its drum layers, or of the songs' drum stems. */
function sectionOnsets(
  section: RenderSection,
  layers: readonly LayerMeasurement[],
  arrangement: Arrangement,
  index: number,
  songs: ReadonlyMap<string, RenderSong>,
  drumOnsets: ReadonlyMap<string, OnsetEnvelopes>,
): Map<string, OnsetEnvelopes> {
  const onsets = new Map<string, OnsetEnvelopes>();
  for (const id of songsOnBeat(section)) {
    const slice = arrangement.sections[index]!.find(({ songId }) => songId === id);
    if (!slice) continue;
    const played = layers.find(({ songId, onsets: own }) => songId === id && own)?.onsets;
    const known = drumOnsets.get(id);
    const parts = slice.parts.map(({ runId, start, end }) => ({ run: arrangement.runs[runId]!, start, end }));
    const own = played ?? (known && onsetsAlong(known, songs.get(id)!, parts, section));
    if (own) onsets.set(id, own);
  }
  return onsets;
}

/** The drum onsets of a song in the time of the mashup, along the runs that play the song; 0 where none plays it. */
function onsetsAlong(
  onsets: OnsetEnvelopes,
  song: RenderSong,
  parts: readonly { run: Run; start: number; end: number }[],
  span: { start: number; end: number },
): OnsetEnvelopes {
  const perSec = SAMPLE_RATE / ENVELOPE_HOP;
  const count = Math.floor((span.end - span.start) * perSec);
  const result: OnsetEnvelopes = {
    kick: new Float32Array(count),
    snare: new Float32Array(count),
    attack: new Float32Array(count),
  };
  for (const { run, start, end } of parts) {
    const last = Math.min(count, Math.floor((end - span.start) * perSec));
    for (let k = Math.max(0, Math.ceil((start - span.start) * perSec)); k < last; k++) {
      const at = sourceAt(run, song, span.start + k / perSec) * perSec;
      const below = Math.floor(at);
      for (const part of ['kick', 'snare', 'attack'] as const) {
        const [x, y] = [onsets[part][below] ?? 0, onsets[part][below + 1] ?? 0];
        result[part][k] = x + (at - below) * (y - x);
      }
    }
  }
  return result;
}

/**
 * Share of the bars that start on a bar line of their section, of songs in the mashup's meter that keep the beat; null if there are
 * none.
 */
function downbeatsOnBars(
  plan: RenderPlan,
  arrangement: Arrangement,
  songs: ReadonlyMap<string, RenderSong>,
  tuning: Tuning,
): number | null {
  const results = plan.sections.flatMap((section, i) => {
    const onBeat = songsOnBeat(section);
    const bySong = new Map<string, LayerSlice>();
    for (const slice of arrangement.sections[i]!) if (!bySong.has(slice.songId)) bySong.set(slice.songId, slice);
    return [...bySong].flatMap(([id, slice]) => {
      const { grid } = songs.get(id)!;
      // A song that a correction has moved is left out: the analysis misplaced its downbeats.
      if (!onBeat.has(id) || grid.meter !== plan.beatsPerBar || !grid.meterKnown || tuning.beats.get(id)) return [];
      return downbeatsOf(slice, grid, section, arrangement.runs);
    });
  });
  return results.length === 0 ? null : results.filter((isOnBar) => isOnBar).length / results.length;
}

/** For each downbeat of a slice: whether it is on a bar line of the section. */
function downbeatsOf(slice: LayerSlice, grid: BeatGrid, section: RenderSection, runs: readonly Run[]): boolean[] {
  return slice.parts.flatMap(({ runId, start, end }) => {
    const run = runs[runId]!;
    const bar = Math.min(run.beatSec * grid.meter, (60 / section.bpm) * grid.meter);
    return grid.downbeats
      .map((index) => run.start + (index - run.sourceBeat) * run.beatSec)
      .filter((at) => at >= start - 1e-6 && at < end - 1e-6)
      .map((at) => {
        const bars = (at - section.start) / bar;
        return Math.abs(bars - Math.round(bars)) * bar <= (ON_BAR_BEATS * 60) / section.bpm;
      });
  });
}
