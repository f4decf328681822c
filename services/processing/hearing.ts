/** What the ear is given of a render: its sections' layers, its songs' strokes, and what was meant. */
import { matchTempo } from '../../music/tempo.ts';
import type { Stem } from '../../schema.ts';
import { SAMPLE_RATE } from '../audio/decode.ts';
import type { Arrangement, Clip } from './arrange.ts';
import type { Expectations, HeardSection } from './ear/judge-layers.ts';
import type { Percussion } from './ear/percussion.ts';
import { beatTime } from './grid.ts';
import type { RenderPlan } from './plan.ts';
import type { SectionResult } from './section.ts';
import type { RenderSong } from './song.ts';
import { strokesAlong } from './strokes.ts';
import { mostPlayed, type Tuning } from './tuning.ts';

/** Nearer to a bar line than this, in beats, is on it. */
const ON_BAR_BEATS = 0.25;

export type Heard = { sections: HeardSection[]; expected: Expectations };

/** Gathers what was heard of all sections. */
export function gatherHearing(
  plan: RenderPlan,
  arrangement: Arrangement,
  songs: ReadonlyMap<string, RenderSong>,
  mixed: readonly SectionResult[],
  strokes: ReadonlyMap<string, Percussion>,
  tuning: Tuning,
): Heard {
  const sections = plan.sections.map((section, i): HeardSection => {
    const layers = mixed[i]!.heard;
    const percussion = new Map<string, Percussion>();
    for (const id of new Set(layers.map(({ songId }) => songId))) {
      const drums = layers.find(({ songId, percussion: own }) => songId === id && own)?.percussion;
      const known = strokes.get(id);
      const clip = arrangement.sections[i]!.find(({ songId }) => songId === id)!;
      const parts = clip.parts.map(({ runId, start, end }) => ({ run: arrangement.runs[runId]!, start, end }));
      const own = drums ?? (known && strokesAlong(known, songs.get(id)!, parts, section));
      if (own) percussion.set(id, own);
    }
    return { durationSec: section.end - section.start, layers, percussion };
  });
  const beat: Stem[] = ['drums', 'bass'];
  return {
    sections,
    expected: {
      sampleRate: SAMPLE_RATE,
      bpm: plan.bpm,
      beatsPerBar: plan.beatsPerBar,
      anchor: mostPlayed(plan, beat) ?? [...songs.keys()][0]!,
      tempoChanges: [...songs.values()].map((song) => song.tempoChange),
      meters: new Map([...songs].map(([id, song]) => [id, song.grid.meter])),
      otherPulse: new Set(
        [...songs].filter(([, song]) => matchTempo(song.grid.bpm, plan.bpm).multiple !== 1).map(([id]) => id),
      ),
      downbeatsOnBars: downbeatsOnBars(plan, arrangement, songs, tuning),
    },
  };
}

/** Part of the bars of songs in the mashup's meter that start on a bar line of their section. */
function downbeatsOnBars(
  plan: RenderPlan,
  arrangement: Arrangement,
  songs: ReadonlyMap<string, RenderSong>,
  tuning: Tuning,
): number | null {
  let on = 0;
  let all = 0;
  plan.sections.forEach((section, i) => {
    const heard = new Map<string, Clip>();
    for (const clip of arrangement.sections[i]!) if (!heard.has(clip.songId)) heard.set(clip.songId, clip);
    for (const [id, clip] of heard) {
      const { grid } = songs.get(id)!;
      // What was moved on purpose has a downbeat that the analysis put elsewhere.
      if (grid.meter !== plan.beatsPerBar || tuning.beats.get(id)) continue;
      for (const { runId, start, end } of clip.parts) {
        const run = arrangement.runs[runId]!;
        const bar = Math.min(run.beatSec * grid.meter, (60 / plan.bpm) * plan.beatsPerBar);
        for (const index of grid.downbeats) {
          const at = run.start + (index - run.sourceBeat) * run.beatSec;
          if (at < start - 1e-6 || at >= end - 1e-6) continue;
          const off = Math.abs((at - section.start) / bar - Math.round((at - section.start) / bar)) * bar;
          all++;
          if (off <= (ON_BAR_BEATS * 60) / plan.bpm) on++;
        }
      }
    }
  });
  return all === 0 ? null : on / all;
}

/** Seconds of the mashup at which pieces meet: sections, and loops within them. */
export function splicesOf(plan: RenderPlan, arrangement: Arrangement): number[] {
  const times = new Set(plan.sections.slice(1).map(({ start }) => start));
  for (const clip of arrangement.sections.flat()) for (const { start } of clip.parts.slice(1)) times.add(start);
  return [...times].sort((a, b) => a - b);
}

/** A song's curve along a clip, in steps of a tenth of a second from `start` on; undefined where the song has none. */
export function curveAlong(
  song: RenderSong,
  clip: Clip,
  arrangement: Arrangement,
  span: { start: number; end: number },
): { hop_sec: number; values: number[] } | undefined {
  const curve = song.vocals;
  if (!curve) return undefined;
  const hop_sec = 0.1;
  const values = Array.from({ length: Math.ceil((span.end - span.start) / hop_sec) }, (_, k) => {
    const at = span.start + (k + 0.5) * hop_sec;
    const playing = clip.parts.find(({ end }) => at < end) ?? clip.parts.at(-1)!;
    const run = arrangement.runs[playing.runId]!;
    const source = beatTime(song.grid, run.sourceBeat + (at - run.start) / run.beatSec);
    return curve.values[Math.max(0, Math.floor(source / curve.hop_sec))] ?? 0;
  });
  return { hop_sec, values };
}
