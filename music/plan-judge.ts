/** What a musician would say of a plan before anything is rendered. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection } from '../schema.ts';
import { nearestDownbeat, songGrid } from './grid.ts';
import { parseKey } from './keys.ts';
import { planBarSec } from './plan-bars.ts';
import { AUDIBLE_LEVEL_DB, BACKING_VOICE_DB, MIN_ENERGY_RANGE, limitsFor } from './plan-limits.ts';
import type { Findings } from './plan-read.ts';
import {
  bearableKeyShift,
  bearableTempoChange,
  leastKeyShift,
  leastTempoChange,
  worstKeyShift,
  worstTempoChange,
} from './targets.ts';
import { matchTempo } from './tempo.ts';

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Seconds of a song that a section consumes at the plan's tempo. */
function sourceSeconds(song: AnalyzedSong, durationSec: number, targetBpm: number): number {
  return durationSec * matchTempo(songGrid(song.analysis).bpm, targetBpm).rate;
}

/** Moves each layer's source to a downbeat that leaves enough of the song; a section longer than its song is a fault. */
export function fitSources(plan: Plan, songs: readonly AnalyzedSong[], { faults, mended }: Findings): PlanSection[] {
  const { global, timeline } = plan.masterplan;
  return timeline.map((section, index) => {
    const tooLong = new Set<string>();
    const layers = section.layers.map((layer): PlanLayer => {
      const song = songs.find((each) => each.song_id === layer.songId);
      const grid = song && songGrid(song.analysis);
      if (!song || !grid?.durationKnown) return layer;
      const needed = sourceSeconds(song, section.duration_sec, global.targetBPM);
      // The last bar of a song may be cut short without anyone missing it.
      const room = grid.durationSec + grid.barSec - needed;
      if (room < 0) {
        if (!tooLong.has(song.song_id))
          faults.push(
            `Section ${index + 1} needs ${needed.toFixed(1)} s of "${song.song_id}", which lasts ${grid.durationSec.toFixed(1)} s: ` +
              'make the section shorter or split it.',
          );
        tooLong.add(song.song_id);
        return layer;
      }
      if (layer.source_start_sec === undefined) return layer;
      const usable = grid.downbeatsSec.filter((at) => at <= Math.max(room, grid.downbeatsSec[0] ?? 0));
      const start = round3(nearestDownbeat({ ...grid, downbeatsSec: usable }, layer.source_start_sec));
      if (start < layer.source_start_sec - grid.barSec)
        mended.push(
          `Section ${index + 1}: the ${layer.stem} of "${song.song_id}" was moved to ${start} s so that the song does not run out.`,
        );
      return { ...layer, source_start_sec: start };
    });
    return { ...section, layers };
  });
}

/** Lists what is musically wrong. */
export function judgePlan(plan: Plan, songs: readonly AnalyzedSong[], limits: PlanLimits, faults: string[]): void {
  const { timeline, global } = plan.masterplan;
  timeline.forEach((section, index) => judgeSection(section, `Section ${index + 1}`, faults));

  for (const song of songs) {
    const heard = timeline.some((section) =>
      section.layers.some((layer) => layer.songId === song.song_id && layer.volume_db > AUDIBLE_LEVEL_DB),
    );
    if (!heard) faults.push(`The song "${song.song_id}" is never heard: use a stem of it in at least one section.`);
  }

  const energies = timeline.map((section) => section.energy_level);
  if (Math.max(...energies) - Math.min(...energies) < MIN_ENERGY_RANGE)
    faults.push(
      `The energy is flat: energy_level must differ by at least ${MIN_ENERGY_RANGE} between the quietest and the fullest section.`,
    );

  const barSec = planBarSec(global);
  const { min_length_sec, max_length_sec } = limitsFor(songs, limits);
  const total = timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  // A length in whole bars cannot meet a limit in seconds exactly.
  if (total < min_length_sec - barSec)
    faults.push(`The mashup lasts ${total.toFixed(1)} s; it must last at least ${min_length_sec} s.`);
  if (total > max_length_sec + barSec)
    faults.push(`The mashup lasts ${total.toFixed(1)} s; it may last at most ${max_length_sec} s.`);
  judgeTargets(plan, songs, faults);
}

function judgeSection(section: PlanSection, name: string, faults: string[]): void {
  if (section.layers.length === 0) faults.push(`${name} has no layers: give it at least one stem.`);
  else if (section.layers.every((layer) => layer.volume_db <= AUDIBLE_LEVEL_DB))
    faults.push(`${name} is silent: raise a layer above ${AUDIBLE_LEVEL_DB} dB.`);
  const of = (stem: string): PlanLayer[] =>
    section.layers.filter((layer) => layer.stem === stem && layer.volume_db > AUDIBLE_LEVEL_DB);
  if (of('bass').length > 1) faults.push(`${name} has ${of('bass').length} basses at once: keep one.`);
  const voices = of('vocals').toSorted((a, b) => b.volume_db - a.volume_db);
  const lead = voices[0];
  for (const voice of voices.slice(1)) {
    const backing =
      lead !== undefined && lead.volume_db - voice.volume_db >= BACKING_VOICE_DB && voice.why !== undefined;
    if (!backing)
      faults.push(
        `${name} has two lead vocals at once: keep one, or make the other a backing voice at least ${BACKING_VOICE_DB} dB below and say in \`why\` what for.`,
      );
  }
}

function judgeTargets(plan: Plan, songs: readonly AnalyzedSong[], faults: string[]): void {
  const { global, timeline } = plan.masterplan;
  const stretch = worstTempoChange(songs, global.targetBPM);
  if (stretch > bearableTempoChange(songs) + 1e-9)
    faults.push(
      `At ${global.targetBPM} bpm a song must be stretched by ${Math.round(stretch * 100)} %; ` +
        `another tempo needs ${Math.round(leastTempoChange(songs) * 100)} % (half and double tempo count).`,
    );
  const key = parseKey(global.targetKey);
  const pitched = songs.filter((song) =>
    timeline.some((section) => section.layers.some((layer) => layer.songId === song.song_id && layer.stem !== 'drums')),
  );
  if (!key || pitched.length === 0) return;
  const shift = worstKeyShift(pitched, key);
  // A key that suits all songs is never wrong, also where not all of them are heard with pitched stems.
  if (shift > Math.max(bearableKeyShift(pitched), bearableKeyShift(songs)))
    faults.push(
      `In ${global.targetKey} a song must be shifted by ${shift} semitones; another key needs ${leastKeyShift(pitched)}.`,
    );
}
