/** Reading a plan of unknown origin: known members are taken over, small slips mended, everything else left behind. */
import type { AnalyzedSong, Plan, PlanLayer, PlanLimits, PlanSection } from '../../schema.ts';
import { formatEffect, nearestEffect, parseEffect } from './effects.ts';
import { songGrid } from '../theory/bars.ts';
import { formatKey, parseKey } from '../theory/keys.ts';
import {
  MAX_EFFECTS,
  MAX_LAYERS,
  MAX_LEVEL_DB,
  MAX_PROBLEMS,
  MAX_SECTIONS,
  MAX_TEXT_LENGTH,
  MAX_TITLE_LENGTH,
  MIN_LEVEL_DB,
  allowedStems,
} from './limits.ts';
import { resolveSong, resolveStem } from './names.ts';

/** What is wrong with a plan, and what was put right. Sentences, made for a planner to read. */
export type Findings = { faults: string[]; mended: string[] };

const DEFAULT_LEVEL_DB = -6;
const DEFAULT_ENERGY = 0.5;

type Loose = Record<string, unknown>;
const isLoose = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function numberOf(value: unknown): number | undefined {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
}

/** Control characters, and marks that turn the direction of the text around them. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;
/** Halves of pairs, which neither JSON readers nor Postgres take. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** One line of text without control characters, cut to a length. */
export function textOf(value: unknown, limit = MAX_TEXT_LENGTH): string {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, limit * 8)
    .replace(UNSEEN, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, limit)
    .replace(LONE_SURROGATE, '')
    .trim();
}

/**
 * Reads a plan. Undefined where there is nothing to work with (no object, no timeline); else a plan in the right shape
 * whose musical sense is not judged yet.
 */
export function readPlan(
  raw: unknown,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
  findings: Findings,
): Plan | undefined {
  if (!isLoose(raw)) {
    findings.faults.push('The plan is not an object with `creative_vision` and `masterplan`.');
    return undefined;
  }
  const master = isLoose(raw['masterplan']) ? raw['masterplan'] : raw;
  const timeline = listOf(master['timeline']);
  if (timeline.length === 0) {
    findings.faults.push('The plan has no sections: `masterplan.timeline` must list them.');
    return undefined;
  }
  if (timeline.length > MAX_SECTIONS)
    findings.faults.push(`The plan has ${timeline.length} sections; at most ${MAX_SECTIONS} are allowed.`);

  const title = textOf(master['title'], MAX_TITLE_LENGTH);
  if (title === '') findings.mended.push('The plan had no title; the names of the songs were taken.');
  const vision = textOf(raw['creative_vision'] ?? master['creative_vision'] ?? master['concept']);
  if (vision === '')
    findings.faults.push('`creative_vision` is missing: say in two or three sentences what the mashup is about.');
  const credits = textOf(master['artistCredits'], 300);
  const global = readGlobal(master['global'] ?? master['global_settings'], songs, findings);
  return {
    creative_vision: vision,
    masterplan: {
      title: title || textOf(songs.map((song) => song.name).join(' x '), MAX_TITLE_LENGTH) || 'Mashup',
      artistCredits: credits || creditsOf(songs),
      global,
      timeline: readSections(timeline.slice(0, MAX_SECTIONS), global.targetBPM, songs, limits, findings),
      problems_and_solutions: listOf(master['problems_and_solutions'])
        .filter(isLoose)
        .map((each) => ({ problem: textOf(each['problem'], 400), solution: textOf(each['solution'], 400) }))
        .filter((each) => each.problem !== '')
        .slice(0, MAX_PROBLEMS),
    },
  };
}

/** Artists in the `A vs. B` form, each once. */
export function creditsOf(songs: readonly AnalyzedSong[]): string {
  const artists = [...new Set(songs.map((song) => textOf(song.artist, 80)).filter((artist) => artist !== ''))];
  return artists.length > 0 ? artists.join(' vs. ') : 'Unknown artists';
}

function readGlobal(
  raw: unknown,
  songs: readonly AnalyzedSong[],
  { faults, mended }: Findings,
): Plan['masterplan']['global'] {
  const global = isLoose(raw) ? raw : {};
  let targetBPM = numberOf(global['targetBPM'] ?? global['target_bpm'] ?? global['bpm']);
  if (targetBPM === undefined || targetBPM < 40 || targetBPM > 240) {
    faults.push('`global.targetBPM` must be a tempo between 40 and 240 beats per minute.');
    targetBPM = Math.min(240, Math.max(40, songs[0]?.analysis.rhythmic.bpm ?? 120));
  }
  const wanted = textOf(global['targetKey'] ?? global['target_key'] ?? global['key'], 40);
  const key = parseKey(wanted);
  const fallback = songs.map((song) => parseKey(song.analysis.harmonic.key)).find((each) => each !== null);
  if (!key) mended.push(`The key "${wanted}" is no key; ${fallback ? formatKey(fallback) : 'C major'} was taken.`);
  return {
    targetBPM,
    targetKey: formatKey(key ?? fallback ?? { tonic: 0, mode: 'major' }),
    timeSignature: readSignature(global['timeSignature'] ?? global['time_signature'], songs, mended),
  };
}

function readSignature(raw: unknown, songs: readonly AnalyzedSong[], mended: string[]): [number, number] {
  const parts: unknown[] = typeof raw === 'string' ? raw.split('/') : listOf(raw);
  const beats = numberOf(parts[0]);
  const unit = numberOf(parts[1]);
  if (
    beats !== undefined &&
    unit !== undefined &&
    Number.isInteger(beats) &&
    beats >= 2 &&
    beats <= 7 &&
    [2, 4, 8].includes(unit)
  )
    return [beats, unit];
  const meters = songs.map((song) => songGrid(song.analysis).meter);
  const meter = meters.every((each) => each === meters[0]) ? (meters[0] ?? 4) : 4;
  mended.push(`The time signature was taken as ${meter}/4.`);
  return [meter, 4];
}

function readSections(
  timeline: unknown[],
  targetBPM: number,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
  findings: Findings,
): PlanSection[] {
  const highest = Math.max(...timeline.map((each) => numberOf(isLoose(each) ? each['energy_level'] : undefined) ?? 0));
  // Planners count energy to 1, to 10 or to 100; one scale for the whole plan.
  const scale = highest <= 1 ? 1 : highest <= 10 ? 10 : 100;
  if (scale > 1) findings.mended.push(`Energy levels were read on a scale to ${scale}.`);
  let clock = 0;
  return timeline.flatMap((raw, index) => {
    const name = `Section ${index + 1}`;
    if (!isLoose(raw)) {
      findings.faults.push(`${name} is not an object.`);
      return [];
    }
    const duration = numberOf(raw['duration_sec'] ?? raw['duration']);
    if (duration === undefined || duration <= 0) {
      findings.faults.push(`${name} has no duration: \`duration_sec\` must be more than 0.`);
      return [];
    }
    let start = numberOf(raw['time_start_sec'] ?? raw['start']);
    if (start === undefined) {
      findings.mended.push(`${name} had no start; it follows the one before.`);
      start = clock;
    }
    if (start < 0) findings.mended.push(`${name} started before 0.`);
    clock = start + duration;
    const tempo = readTempo(raw['tempo_bpm'], name, targetBPM, findings);
    const energy = (numberOf(raw['energy_level']) ?? DEFAULT_ENERGY * scale) / scale;
    return [
      {
        time_start_sec: Math.max(0, start),
        duration_sec: duration,
        description: textOf(raw['description'], 400),
        energy_level: Math.min(1, Math.max(0, energy)),
        ...(tempo === undefined ? {} : { tempo_bpm: tempo }),
        layers: readLayers(listOf(raw['layers']), name, songs, limits, findings),
      },
    ];
  });
}

/** A section's own tempo; undefined where it is the mashup's or none. */
function readTempo(raw: unknown, section: string, targetBPM: number, { mended }: Findings): number | undefined {
  const tempo = numberOf(raw);
  if (tempo === undefined || Math.abs(tempo - targetBPM) < 0.005) return undefined;
  if (tempo >= 40 && tempo <= 240) return tempo;
  mended.push(`${section}: ${tempo} bpm is no tempo; the mashup's was taken.`);
  return undefined;
}

/** One song keeps one time: its layers in a section are free all together or not at all. */
function withOneTiming(layers: PlanLayer[], section: string, { mended }: Findings): PlanLayer[] {
  const odd = (layer: PlanLayer): boolean => {
    const first = layers.find(({ songId }) => songId === layer.songId);
    return (first?.timing === 'free') !== (layer.timing === 'free');
  };
  const free = new Set(layers.filter(odd).map(({ songId }) => songId));
  if (free.size === 0) return layers;
  mended.push(`${section} had a song both free and on the beat; all of it is on the beat.`);
  return layers.map((layer) => {
    if (!free.has(layer.songId)) return layer;
    const { timing: _, ...onBeat } = layer;
    return onBeat;
  });
}

function readLayers(
  raw: unknown[],
  section: string,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
  findings: Findings,
): PlanLayer[] {
  const stems = allowedStems(limits);
  if (raw.length > MAX_LAYERS)
    findings.faults.push(`${section} has ${raw.length} layers; at most ${MAX_LAYERS} are allowed.`);
  const layers: PlanLayer[] = [];
  for (const each of raw.slice(0, MAX_LAYERS)) {
    if (!isLoose(each)) {
      findings.faults.push(`${section} has a layer that is not an object.`);
      continue;
    }
    const reference = each['songId'] ?? each['song_id'] ?? each['track_id'];
    const song = resolveSong(reference, songs);
    const stem = resolveStem(each['stem']);
    if (!song)
      findings.faults.push(
        `${section} uses the unknown song "${textOf(String(reference), 60)}"; the songs are ${songs.map((known) => `"${known.song_id}"`).join(', ')}.`,
      );
    if (!stem || !stems.includes(stem))
      findings.faults.push(
        `${section} uses the unknown stem "${textOf(String(each['stem']), 60)}"; the stems are ${stems.join(', ')}.`,
      );
    if (!song || !stem || !stems.includes(stem)) continue;
    if (layers.some((other) => other.songId === song.song_id && other.stem === stem)) {
      findings.mended.push(`${section} had the ${stem} of one song twice; the second was left out.`);
      continue;
    }
    const level = numberOf(each['volume_db'] ?? each['gain_db']) ?? DEFAULT_LEVEL_DB;
    const volume_db = Math.min(MAX_LEVEL_DB, Math.max(MIN_LEVEL_DB, level));
    if (volume_db !== level) findings.mended.push(`${section}: a level of ${level} dB was set to ${volume_db} dB.`);
    const source = numberOf(each['source_start_sec'] ?? each['start_sec']);
    const why = textOf(each['why'], 400);
    layers.push({
      songId: song.song_id,
      stem,
      volume_db,
      effects: readEffects(each['effects'], section, findings),
      ...(source === undefined ? {} : { source_start_sec: Math.max(0, source) }),
      ...(each['timing'] === 'free' ? { timing: 'free' as const } : {}),
      ...(why === '' ? {} : { why }),
    });
  }
  return withOneTiming(layers, section, findings);
}

function readEffects(raw: unknown, section: string, { mended }: Findings): string[] {
  const texts = (typeof raw === 'string' ? [raw] : listOf(raw)).filter((each) => typeof each === 'string');
  const effects: string[] = [];
  for (const text of texts) {
    const shown = textOf(text, 60);
    const effect = nearestEffect(text);
    if (!effect) {
      mended.push(`${section}: the effect "${shown}" is not known and was left out.`);
      continue;
    }
    const written = formatEffect(effect);
    if (!parseEffect(text)) mended.push(`${section}: the effect "${shown}" was read as ${written}.`);
    if (effects.some((other) => other.split('(')[0] === effect.name))
      mended.push(`${section}: ${effect.name} was asked for twice.`);
    else if (effects.length >= MAX_EFFECTS)
      mended.push(`${section}: more than ${MAX_EFFECTS} effects on a layer; ${written} was left out.`);
    else effects.push(written);
  }
  return effects;
}
