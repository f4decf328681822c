/** What a musician would say of a plan before anything is rendered. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection } from '../../schema.ts';
import { nearestDownbeat, songGrid } from '../theory/bars.ts';
import { parseKey } from '../theory/keys.ts';
import { sectionBarSec, sectionBpm } from './bars.ts';
import { AUDIBLE_LEVEL_DB, BACKING_VOICE_DB, MIN_ENERGY_RANGE, TEMPO_TOLERANCE, limitsFor } from './limits.ts';
import type { Findings } from './parse-plan.ts';
import { bearableKeyShift, leastKeyShift, worstKeyShift } from '../producer/targets.ts';
import { AUDIBLE_TEMPO_CHANGE, matchTempo, tempoChange } from '../theory/tempo.ts';

const round3 = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Seconds of a song that a layer consumes. */
export function sourceSeconds(song: AnalyzedSong, durationSec: number, targetBpm: number, free: boolean): number {
  return free ? durationSec : durationSec * matchTempo(songGrid(song.analysis).bpm, targetBpm).rate;
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
      const free = layer.timing === 'free';
      const needed = sourceSeconds(song, section.duration_sec, sectionBpm(global, section), free);
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
  timeline.forEach((section, index) => {
    judgeSection(section, `Section ${index + 1}`, faults);
    judgeTime(section, `Section ${index + 1}`, sectionBpm(global, section), songs, faults);
  });

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

  const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
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

/** Beats that meet, or none that could rub: a song is on the beat at a speed that it bears, or free where no other song drums. */
function judgeTime(
  section: PlanSection,
  name: string,
  bpm: number,
  songs: readonly AnalyzedSong[],
  faults: string[],
): void {
  for (const song of songs) {
    const layers = section.layers.filter(({ songId }) => songId === song.song_id);
    if (layers.some(({ timing }) => timing === 'free')) {
      const beat = layers.find(({ stem }) => stem === 'drums' || stem === 'bass');
      if (beat)
        faults.push(`${name}: the ${beat.stem} of "${song.song_id}" cannot be free: only vocals and other can.`);
      const drums = section.layers.find(
        ({ songId, stem, volume_db }) => stem === 'drums' && songId !== song.song_id && volume_db > AUDIBLE_LEVEL_DB,
      );
      if (drums)
        faults.push(`${name}: "${song.song_id}" is free over the drums of "${drums.songId}": take the drums out.`);
    } else if (layers.length > 0) {
      const change = tempoChange(songGrid(song.analysis).bpm, bpm);
      if (change > AUDIBLE_TEMPO_CHANGE + TEMPO_TOLERANCE)
        faults.push(
          `${name}: at ${bpm} bpm "${song.song_id}" must be stretched by ${Math.round(change * 100)} % (half and double tempo ` +
            `count), and over ${Math.round(AUDIBLE_TEMPO_CHANGE * 100)} % is heard by everyone: give the section a \`tempo_bpm\` that it ` +
            'bears, or let it play with `timing` free where no other song drums.',
        );
    }
  }
}

function judgeTargets(plan: Plan, songs: readonly AnalyzedSong[], faults: string[]): void {
  const { global, timeline } = plan.masterplan;
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
