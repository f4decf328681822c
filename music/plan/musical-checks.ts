/** Checks of a plan's music before it is rendered: layers, tempo, key, energy, length. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection } from '../../schema.ts';
import { songBars } from '../theory/bars.ts';
import { hasBeat } from '../theory/content.ts';
import { displayKey, parseKey } from '../theory/keys.ts';
import { AUDIBLE_TEMPO_CHANGE, tempoChange } from '../theory/tempo.ts';
import { sectionBarSec, sectionBpm } from './bars.ts';
import { leastKeyShift, maxKeyShift, worstKeyShift } from './key-shifts.ts';
import { AUDIBLE_LEVEL_DB, BACKING_VOICE_DB, MIN_ENERGY_RANGE, TEMPO_TOLERANCE, limitsFor } from './limits.ts';

/** Checks the music of a plan whose form is valid, all but its key. Appends to `faults`. */
export function checkArrangement(
  plan: Plan,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
  faults: string[],
): void {
  const { timeline, global } = plan.masterplan;
  timeline.forEach((section, index) => {
    checkLayers(section, `Section ${index + 1}`, faults);
    checkTiming(section, `Section ${index + 1}`, sectionBpm(global, section), songs, faults);
  });

  for (const song of songs) {
    const isAudible = timeline.some((section) =>
      section.layers.some((layer) => layer.songId === song.song_id && layer.volume_db > AUDIBLE_LEVEL_DB),
    );
    if (!isAudible) faults.push(`The song "${song.song_id}" is never heard: use a stem of it in at least one section.`);
  }

  const energies = timeline.map((section) => section.energy_level);
  if (Math.max(...energies) - Math.min(...energies) < MIN_ENERGY_RANGE)
    faults.push(
      `The energy is flat: energy_level must differ by at least ${MIN_ENERGY_RANGE} between the quietest and the fullest section.`,
    );
  checkLength(plan, limitsFor(songs, limits), faults);
}

function checkLength({ masterplan }: Plan, { min_length_sec, max_length_sec }: PlanLimits, faults: string[]): void {
  const { timeline, global } = masterplan;
  const total = timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  // A length in whole bars can differ from a limit in seconds by up to a bar.
  const barSec = Math.max(...timeline.map((section) => sectionBarSec(global, section)));
  if (total < min_length_sec - barSec)
    faults.push(`The mashup lasts ${total.toFixed(1)} s; it must last at least ${min_length_sec} s.`);
  if (total > max_length_sec + barSec)
    faults.push(`The mashup lasts ${total.toFixed(1)} s; it may last at most ${max_length_sec} s.`);
}

function checkLayers(section: PlanSection, name: string, faults: string[]): void {
  if (section.layers.length === 0) faults.push(`${name} has no layers: give it at least one stem.`);
  else if (section.layers.every((layer) => layer.volume_db <= AUDIBLE_LEVEL_DB))
    faults.push(`${name} is silent: raise a layer above ${AUDIBLE_LEVEL_DB} dB.`);
  const audible = (stem: string): PlanLayer[] =>
    section.layers.filter((layer) => layer.stem === stem && layer.volume_db > AUDIBLE_LEVEL_DB);
  const basses = audible('bass').length;
  if (basses > 1) faults.push(`${name} has ${basses} basses at once: keep one.`);
  const voices = audible('vocals').sort((a, b) => b.volume_db - a.volume_db);
  const lead = voices[0];
  for (const voice of voices.slice(1)) {
    const isBacking =
      lead !== undefined && lead.volume_db - voice.volume_db >= BACKING_VOICE_DB && voice.why !== undefined;
    if (!isBacking)
      faults.push(
        `${name} has two lead vocals at once: keep one, or make the other a backing voice at least ${BACKING_VOICE_DB} dB below and give the reason in \`why\`.`,
      );
  }
}

/** Checks that each song with a beat is on it at a tempo within its reach, or free where the drums of no other song play. */
function checkTiming(
  section: PlanSection,
  name: string,
  bpm: number,
  songs: readonly AnalyzedSong[],
  faults: string[],
): void {
  for (const song of songs) {
    const layers = section.layers.filter(({ songId }) => songId === song.song_id);
    if (!hasBeat(song.analysis)) continue;
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
      const change = tempoChange(songBars(song.analysis).bpm, bpm);
      if (change > AUDIBLE_TEMPO_CHANGE + TEMPO_TOLERANCE)
        faults.push(
          `${name}: at ${bpm} bpm "${song.song_id}" must be stretched by ${Math.round(change * 100)} % (half and double tempo ` +
            `count), and over ${Math.round(AUDIBLE_TEMPO_CHANGE * 100)} % is heard by everyone: give the section a \`tempo_bpm\` within ` +
            'this limit, or let the song play with `timing` free where no other song has drums.',
        );
    }
  }
}

/** Checks that the songs can be brought into the key of a plan. Appends to `faults`. */
export function checkKey(plan: Plan, songs: readonly AnalyzedSong[], faults: string[]): void {
  const { global, timeline } = plan.masterplan;
  const key = parseKey(global.targetKey);
  const pitched = songs.filter((song) =>
    timeline.some((section) => section.layers.some((layer) => layer.songId === song.song_id && layer.stem !== 'drums')),
  );
  // Shifts that a render found are in reach.
  if (!key || pitched.length === 0 || global.shifts) return;
  const shift = worstKeyShift(pitched, key);
  // A key that suits all songs is allowed even if some of them have no pitched stems in the plan.
  if (shift > Math.max(maxKeyShift(pitched), maxKeyShift(songs)))
    faults.push(
      `In ${displayKey(key)} a song must be shifted by ${shift} semitones; another key needs ${leastKeyShift(pitched)}.`,
    );
}
