/**
 * Another phrase: where a voice does not fit the notes under it, the song that sings plays other bars of its own. Which, is
 * heard in its vocal stem against the beds of the first take, for each downbeat and each shift in reach.
 */
import { SAMPLE_RATE } from '../audio/decode.ts';
import type { Arrangement } from './arrange.ts';
import type { Correction } from './correct.ts';
import { check } from './ear/checks.ts';
import { rankOf } from './ear/judge-layers.ts';
import { hearVoice, LEVEL_HOP, type LayerSound, type VoiceSound } from './ear/layer.ts';
import { toMono } from './ear/percussion.ts';
import { CHROMA_HOP, PITCHES, profileLikeness } from './ear/pitch.ts';
import { beatTime } from './grid.ts';
import type { RenderPlan } from './plan.ts';
import { type Run, sourceAt } from './run.ts';
import type { RenderSong } from './song.ts';
import { readStem, type StemPlace } from './stem.ts';
import { MAX_VOICE_SHIFT, startKey, type Tuning } from './tuning.ts';

/** A voice this far under its loudest moment is a breath or a rest, dB. */
const SUNG_RANGE_DB = 24;
/** Least part of a section that must be sung, against what was sung in the first take. A choice. */
const LEAST_SUNG = 0.7;
/** Other bars must fit this much better than the planned ones to be taken. A choice. */
const WORTH_MOVING = 0.03;
/** What a semitone of shift, and bars that another section plays already, cost in likeness. Choices. */
const COST_OF_SHIFT = 0.01;
const COST_OF_REPEATING = 0.05;

/**
 * Hears a vocal stem from end to end.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function hearWholeVoice(place: StemPlace): Promise<VoiceSound> {
  const pieces: Float32Array[] = [];
  await readStem(place, (chunk) => pieces.push(toMono(chunk)));
  const mono = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    mono.set(piece, at);
    at += piece.length;
  }
  return hearVoice(mono, SAMPLE_RATE);
}

/** A way of singing a section: from which second of the song, and what then sounds together. */
type Option = { startSec: number; planned: boolean; sung: number; voice: number[]; bed: number[] };

type FirstTake = {
  plan: RenderPlan;
  arrangement: Arrangement;
  /** Layers of each section as they were heard. */
  layers: readonly (readonly LayerSound[])[];
  tuning: Tuning;
};

/** Twelve pitch classes of the foreign layers under a voice, row by row; undefined where there are none. */
function bedRows(layers: readonly LayerSound[], singer: string): Float32Array | undefined {
  const beds = layers.flatMap(({ stem, songId, pitches }) =>
    stem !== 'vocals' && songId !== singer && pitches ? [pitches] : [],
  );
  const [first] = beds;
  return first?.map((_, i) => beds.reduce((sum, bed) => sum + (bed[i] ?? 0), 0));
}

/** What sounds together when the run that sings a section starts at another second of its song. */
function listen(
  run: Run,
  song: RenderSong,
  bed: Float32Array,
  start: { mashup: number; song: number },
  voice: VoiceSound,
): Option {
  const option: Option = {
    startSec: start.song,
    planned: false,
    sung: 0,
    voice: new Array<number>(PITCHES).fill(0),
    bed: new Array<number>(PITCHES).fill(0),
  };
  const floor = voice.levels.reduce((a, b) => Math.max(a, b), -Infinity) - SUNG_RANGE_DB;
  const moved = start.song - sourceAt(run, song, start.mashup);
  for (let row = 0; row < bed.length / PITCHES; row++) {
    const at = sourceAt(run, song, start.mashup + ((row + 0.5) * CHROMA_HOP) / SAMPLE_RATE) + moved;
    const level = voice.levels[Math.floor((at * SAMPLE_RATE) / LEVEL_HOP)];
    if (level === undefined || level < floor) continue;
    const source = Math.floor((at * SAMPLE_RATE) / CHROMA_HOP);
    option.sung++;
    for (let pitch = 0; pitch < PITCHES; pitch++) {
      option.voice[pitch]! += voice.pitches[source * PITCHES + pitch] ?? 0;
      option.bed[pitch]! += bed[row * PITCHES + pitch]!;
    }
  }
  return option;
}

const likenessOf = ({ voice, bed }: Pick<Option, 'voice' | 'bed'>, raise: number): number =>
  profileLikeness(voice, bed, raise);

function pooled(options: readonly Option[]): Pick<Option, 'voice' | 'bed'> {
  const sum = (member: 'voice' | 'bed'): number[] =>
    Array.from({ length: PITCHES }, (_, pitch) => options.reduce((all, option) => all + option[member][pitch]!, 0));
  return { voice: sum('voice'), bed: sum('bed') };
}

/** The ways of singing each section in which a song sings over another's music, the planned one first. */
function optionsOf(take: FirstTake, song: RenderSong, voice: VoiceSound): Map<number, Option[]> {
  const options = new Map<number, Option[]>();
  take.plan.sections.forEach((section, i) => {
    const clip = take.arrangement.sections[i]!.find(({ songId, stem }) => songId === song.id && stem === 'vocals');
    const bed = bedRows(take.layers[i]!, song.id);
    if (!clip || !bed) return;
    const run = take.arrangement.runs[clip.parts[0]!.runId]!;
    const planned = {
      ...listen(run, song, bed, { mashup: section.start, song: sourceAt(run, song, section.start) }, voice),
      planned: true,
    };
    const needed = sourceAt(run, song, section.end) - sourceAt(run, song, section.start);
    const others = song.grid.downbeats
      .map((index) => beatTime(song.grid, index))
      .filter((at) => at >= 0 && at + needed <= song.durationSec)
      .map((at) => listen(run, song, bed, { mashup: section.start, song: at }, voice));
    options.set(i, [planned, ...others.filter(({ sung }) => sung >= LEAST_SUNG * planned.sung)]);
  });
  return options;
}

/** For a shift, the best option of each section, those that are worth it. */
function choose(options: ReadonlyMap<number, readonly Option[]>, raise: number): Map<number, Option> {
  const chosen = new Map<number, Option>();
  for (const [section, list] of options) {
    const taken = [...chosen.values()].map(({ startSec }) => startSec);
    const worth = (option: Option): number =>
      likenessOf(option, raise) +
      (option.planned ? WORTH_MOVING : 0) -
      (taken.some((at) => Math.abs(at - option.startSec) < 0.1) ? COST_OF_REPEATING : 0);
    chosen.set(
      section,
      list.reduce((best, each) => (worth(each) > worth(best) + 1e-9 ? each : best)),
    );
  }
  return chosen;
}

/**
 * Other bars, and if need be another shift, with which a singer should pass; undefined where none would.
 * @param voice its vocal stem, heard from end to end
 */
export function rephrase(take: FirstTake, song: RenderSong, voice: VoiceSound): Correction | undefined {
  const options = optionsOf(take, song, voice);
  const now = take.tuning.semitones.get(song.id) ?? 0;
  const reach = Math.max(MAX_VOICE_SHIFT, Math.abs(now));
  let best: { chosen: Map<number, Option>; semitones: number; fit: number } | undefined;
  for (let semitones = -reach; semitones <= reach; semitones++) {
    const chosen = choose(options, semitones);
    const together = pooled([...chosen.values()]);
    const likeness = Array.from({ length: PITCHES }, (_, raise) => likenessOf(together, semitones + raise));
    if (!check('harmony', likeness[0]!).passed || !check('harmony_rank', rankOf(likeness)).passed) continue;
    const fit = likeness[0]! - COST_OF_SHIFT * Math.abs(semitones - now);
    if (!best || fit > best.fit) best = { chosen, semitones, fit };
  }
  if (!best) return undefined;
  const starts = new Map(take.tuning.starts);
  const words: string[] = [];
  for (const [section, { planned, startSec }] of best.chosen) {
    if (planned) continue;
    starts.set(startKey(section, song.id), startSec);
    words.push(`"${song.name}" sings from ${startSec.toFixed(1)} s in section ${section + 1}.`);
  }
  const semitones = new Map(take.tuning.semitones).set(song.id, best.semitones);
  if (best.semitones !== now)
    words.push(`"${song.name}" was shifted by ${best.semitones} instead of ${now} semitones.`);
  return words.length > 0 ? { tuning: { ...take.tuning, semitones, starts }, words } : undefined;
}
