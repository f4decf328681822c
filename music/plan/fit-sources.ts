/** Source positions of layers: on downbeats, with enough of the song left. */
import type { AnalyzedSong, Plan, PlanLayer, PlanSection } from '../../schema.ts';
import { snapToDownbeat, songBars } from '../theory/bars.ts';
import { soundsThroughout } from '../theory/sound-spans.ts';
import { matchTempo } from '../theory/tempo.ts';
import { sectionBpm } from './bars.ts';
import type { PlanFindings } from './findings.ts';

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Returns how many seconds of a song a layer plays in `durationSec` seconds of the mashup. */
export function sourceSeconds(song: AnalyzedSong, durationSec: number, targetBpm: number, free: boolean): number {
  return free ? durationSec : durationSec * matchTempo(songBars(song.analysis).bpm, targetBpm).rate;
}

/** Moves each layer's source to a downbeat with enough of the song left. A section longer than its song is a fault. */
export function fitSources(plan: Plan, songs: readonly AnalyzedSong[], findings: PlanFindings): PlanSection[] {
  const { global, timeline } = plan.masterplan;
  return timeline.map((section, index) => {
    const bpm = sectionBpm(global, section);
    const tooShort = new Set<string>();
    const layers = section.layers.map((layer): PlanLayer => {
      const song = songs.find((each) => each.song_id === layer.songId);
      return song ? fitSource(layer, song, { name: `Section ${index + 1}`, section, bpm, tooShort }, findings) : layer;
    });
    return { ...section, layers };
  });
}

/** `tooShort`: ids of the songs whose length is already reported as a fault of this section. */
type SectionContext = { name: string; section: PlanSection; bpm: number; tooShort: Set<string> };

function fitSource(
  layer: PlanLayer,
  song: AnalyzedSong,
  { name, section, bpm, tooShort }: SectionContext,
  { faults, repairs }: PlanFindings,
): PlanLayer {
  const bars = songBars(song.analysis);
  if (!bars.durationKnown) return layer;
  const needed = sourceSeconds(song, section.duration_sec, bpm, layer.timing === 'free');
  // The last bar of a song may be cut off: that is hardly audible.
  const room = bars.durationSec + Math.max(bars.overrunSec, 0.02) - needed;
  const { startSec } = bars;
  if (room < startSec) {
    if (!tooShort.has(song.song_id))
      faults.push(
        `${name} needs ${needed.toFixed(1)} s of "${song.song_id}", which lasts ${(bars.durationSec - startSec).toFixed(1)} s` +
          `${startSec > 0 ? ` from ${startSec.toFixed(1)} s on, where its tempo changes` : ''}: ` +
          'make the section shorter or split it.',
      );
    tooShort.add(song.song_id);
    return layer;
  }
  if (layer.source_start_sec === undefined) return layer;
  const fitting = bars.downbeatsSec.filter((at) => at <= Math.max(room, bars.downbeatsSec[0] ?? 0));
  const sounding = fitting.filter((at) => soundsThroughout(bars.spans, at, at + needed - bars.barSec));
  const usable = sounding.length > 0 ? sounding : fitting;
  const start = round3(snapToDownbeat(usable, layer.source_start_sec));
  if (start < layer.source_start_sec - bars.barSec)
    repairs.push(
      `${name}: the ${layer.stem} of "${song.song_id}" was moved to ${start} s so that the song does not run out.`,
    );
  if (start > layer.source_start_sec + bars.barSec)
    repairs.push(`${name}: the ${layer.stem} of "${song.song_id}" was moved to ${start} s, out of silence.`);
  return { ...layer, source_start_sec: start };
}
