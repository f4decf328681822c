/** What the ear is given of a render: its sections' layers, its songs' strokes, and what was meant. */
import {
  COMFORTABLE_TEMPO_CHANGE,
  AUDIBLE_TEMPO_CHANGE,
  matchTempo,
  tempoChange,
} from '../../../music/theory/tempo.ts';
import type { Stem } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { Arrangement, Clip } from '../plan/arrange.ts';
import type { Expectations, HeardSection } from './check-layers.ts';
import type { Percussion } from '../measure/onsets.ts';
import type { RenderPlan, RenderSection } from '../plan/plan.ts';
import { sourceAt } from '../plan/run.ts';
import type { SectionResult } from '../sound/section.ts';
import type { RenderSong } from '../song/song.ts';
import { strokesAlong } from '../song/drum-onsets.ts';
import { mostPlayed, type Tuning } from '../plan/tuning.ts';

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
    const bound = boundSongs(section);
    for (const id of bound) {
      const drums = layers.find(({ songId, percussion: own }) => songId === id && own)?.percussion;
      const known = strokes.get(id);
      const clip = arrangement.sections[i]!.find(({ songId }) => songId === id);
      if (!clip) continue;
      const parts = clip.parts.map(({ runId, start, end }) => ({ run: arrangement.runs[runId]!, start, end }));
      const own = drums ?? (known && strokesAlong(known, songs.get(id)!, parts, section));
      if (own) percussion.set(id, own);
    }
    return {
      durationSec: section.end - section.start,
      bpm: section.bpm,
      layers,
      percussion,
      free: new Set(layers.map(({ songId }) => songId).filter((id) => !bound.has(id))),
      otherPulse: new Set([...bound].filter((id) => matchTempo(songs.get(id)!.grid.bpm, section.bpm).multiple !== 1)),
    };
  });
  const beat: Stem[] = ['drums', 'bass'];
  return {
    sections,
    expected: {
      sampleRate: SAMPLE_RATE,
      beatsPerBar: plan.beatsPerBar,
      anchor: mostPlayed(plan, beat) ?? [...songs.keys()][0]!,
      tempoChange: Math.max(0, ...tempoChanges(plan, songs).values()),
      meters: new Map([...songs].map(([id, song]) => [id, song.grid.meter])),
      downbeatsOnBars: downbeatsOnBars(plan, arrangement, songs, tuning),
    },
  };
}

/** Songs that keep the section's beat. */
const boundSongs = ({ layers }: RenderSection): Set<string> =>
  new Set(layers.filter(({ free }) => !free).map(({ songId }) => songId));

/** Largest change of speed of each song in the sections where it keeps the beat, as a share. */
function tempoChanges(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Map<string, number> {
  const changes = new Map<string, number>();
  for (const section of plan.sections)
    for (const id of boundSongs(section)) {
      const change = tempoChange(songs.get(id)!.grid.bpm, section.bpm);
      changes.set(id, Math.max(changes.get(id) ?? 0, change));
    }
  return changes;
}

/** A warning for each song whose change of speed may be heard. */
export function warnOfTempo(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): string[] {
  return [...tempoChanges(plan, songs)]
    .filter(([, change]) => change > COMFORTABLE_TEMPO_CHANGE)
    .map(([id, change]) => {
      const heardBy = change > AUDIBLE_TEMPO_CHANGE ? 'everyone will hear it' : 'attentive listeners may hear it';
      return `The tempo of "${songs.get(id)!.name}" is changed by ${Math.round(100 * change)} %: ${heardBy}.`;
    });
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
      if (!boundSongs(section).has(id)) continue;
      // What was moved on purpose has a downbeat that the analysis put elsewhere.
      if (grid.meter !== plan.beatsPerBar || tuning.beats.get(id)) continue;
      for (const { runId, start, end } of clip.parts) {
        const run = arrangement.runs[runId]!;
        const bar = Math.min(run.beatSec * grid.meter, (60 / section.bpm) * plan.beatsPerBar);
        for (const index of grid.downbeats) {
          const at = run.start + (index - run.sourceBeat) * run.beatSec;
          if (at < start - 1e-6 || at >= end - 1e-6) continue;
          const off = Math.abs((at - section.start) / bar - Math.round((at - section.start) / bar)) * bar;
          all++;
          if (off <= (ON_BAR_BEATS * 60) / section.bpm) on++;
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
    const source = sourceAt(run, song, at);
    return curve.values[Math.max(0, Math.floor(source / curve.hop_sec))] ?? 0;
  });
  return { hop_sec, values };
}
