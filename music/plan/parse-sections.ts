/** Parsing the sections and layers of a plan of unknown origin. */
import type { AnalyzedSong, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { isRecord, toList, toNumber } from '../loose-values.ts';
import { formatEffect, nearestEffect, parseEffect } from './effects.ts';
import type { PlanFindings } from './findings.ts';
import { MAX_EFFECTS, MAX_LAYERS, MAX_LEVEL_DB, MIN_LEVEL_DB, allowedStems } from './limits.ts';
import { resolveSong, resolveStem } from './names.ts';
import { cleanText } from './text.ts';

const DEFAULT_LEVEL_DB = -6;
const DEFAULT_ENERGY = 0.5;

type ParseContext = { songs: readonly AnalyzedSong[]; limits: PlanLimits; findings: PlanFindings };

/** Parses the entries of a timeline. Entries without a duration are faults and left out. */
export function parseSections(timeline: unknown[], targetBPM: number, context: ParseContext): PlanSection[] {
  const { faults, repairs } = context.findings;
  const scale = energyScale(timeline);
  if (scale > 1) repairs.push(`Energy levels were read on a scale to ${scale}.`);
  let clock = 0;
  return timeline.flatMap((raw, index) => {
    const name = `Section ${index + 1}`;
    if (!isRecord(raw)) {
      faults.push(`${name} is not an object.`);
      return [];
    }
    const duration = toNumber(raw['duration_sec'] ?? raw['duration']);
    if (duration === undefined || duration <= 0) {
      faults.push(`${name} has no duration: \`duration_sec\` must be more than 0.`);
      return [];
    }
    let start = toNumber(raw['time_start_sec'] ?? raw['start']);
    if (start === undefined) {
      repairs.push(`${name} had no start; it follows the one before.`);
      start = clock;
    }
    if (start < 0) repairs.push(`${name} started before 0.`);
    clock = start + duration;
    const tempo = parseTempo(raw['tempo_bpm'], name, targetBPM, context.findings);
    const energy = (toNumber(raw['energy_level']) ?? DEFAULT_ENERGY * scale) / scale;
    return [
      {
        time_start_sec: Math.max(0, start),
        duration_sec: duration,
        description: cleanText(raw['description'], 400),
        energy_level: Math.min(1, Math.max(0, energy)),
        ...(tempo === undefined ? {} : { tempo_bpm: tempo }),
        layers: parseLayers(toList(raw['layers']), name, context),
        ...parseMuted(raw['muted'], context),
      },
    ];
  });
}

/** Planners write energies on scales to 1, to 10 or to 100: returns the scale of the whole plan. */
function energyScale(timeline: unknown[]): 1 | 10 | 100 {
  const highest = Math.max(...timeline.map((raw) => toNumber(isRecord(raw) ? raw['energy_level'] : undefined) ?? 0));
  return highest <= 1 ? 1 : highest <= 10 ? 10 : 100;
}

/** Returns a section's own tempo; undefined if it equals the mashup's or is invalid. */
function parseTempo(raw: unknown, section: string, targetBPM: number, { repairs }: PlanFindings): number | undefined {
  const tempo = toNumber(raw);
  if (tempo === undefined || Math.abs(tempo - targetBPM) < 0.005) return undefined;
  if (tempo >= 40 && tempo <= 240) return tempo;
  repairs.push(`${section}: ${tempo} bpm is no tempo; the mashup's was taken.`);
  return undefined;
}

/** Parses the layers that are muted. Those that are not usable are left out: they do not play. */
function parseMuted(raw: unknown, context: ParseContext): Pick<PlanSection, 'muted'> {
  const muted = parseLayers(toList(raw), '', { ...context, findings: { faults: [], repairs: [] } });
  return muted.length > 0 ? { muted } : {};
}

function parseLayers(raw: unknown[], section: string, context: ParseContext): PlanLayer[] {
  const { faults, repairs } = context.findings;
  if (raw.length > MAX_LAYERS) faults.push(`${section} has ${raw.length} layers; at most ${MAX_LAYERS} are allowed.`);
  const layers: PlanLayer[] = [];
  for (const each of raw.slice(0, MAX_LAYERS)) {
    if (!isRecord(each)) {
      faults.push(`${section} has a layer that is not an object.`);
      continue;
    }
    const source = resolveSource(each, section, context);
    if (!source) continue;
    const { songId, stem } = source;
    if (layers.some((other) => other.songId === songId && other.stem === stem)) {
      repairs.push(`${section} had the ${stem} of one song twice; the second was left out.`);
      continue;
    }
    layers.push({ songId, stem, ...parseMembers(each, section, context.findings) });
  }
  return withOneTiming(layers, section, context.findings);
}

/** Returns the song and stem of a layer; undefined, with a fault, if one of them is unknown. */
function resolveSource(
  raw: Record<string, unknown>,
  section: string,
  { songs, limits, findings: { faults } }: ParseContext,
): { songId: string; stem: Stem } | undefined {
  const stems = allowedStems(limits);
  const reference = raw['songId'] ?? raw['song_id'] ?? raw['track_id'];
  const song = resolveSong(reference, songs);
  const stem = resolveStem(raw['stem']);
  const isAllowed = stem !== undefined && stems.includes(stem);
  if (!song)
    faults.push(
      `${section} uses the unknown song "${cleanText(String(reference), 60)}"; the songs are ${songs.map((known) => `"${known.song_id}"`).join(', ')}.`,
    );
  if (!isAllowed)
    faults.push(
      `${section} uses the unknown stem "${cleanText(String(raw['stem']), 60)}"; the stems are ${stems.join(', ')}.`,
    );
  return song && isAllowed ? { songId: song.song_id, stem } : undefined;
}

function parseMembers(
  raw: Record<string, unknown>,
  section: string,
  findings: PlanFindings,
): Omit<PlanLayer, 'songId' | 'stem'> {
  const level = toNumber(raw['volume_db'] ?? raw['gain_db']) ?? DEFAULT_LEVEL_DB;
  const volume_db = Math.min(MAX_LEVEL_DB, Math.max(MIN_LEVEL_DB, level));
  if (volume_db !== level) findings.repairs.push(`${section}: a level of ${level} dB was set to ${volume_db} dB.`);
  const start = toNumber(raw['source_start_sec'] ?? raw['start_sec']);
  const why = cleanText(raw['why'], 400);
  return {
    volume_db,
    effects: parseEffects(raw['effects'], section, findings),
    ...(start === undefined ? {} : { source_start_sec: Math.max(0, start) }),
    ...(raw['timing'] === 'free' ? { timing: 'free' as const } : {}),
    ...(why === '' ? {} : { why }),
  };
}

/** Within a section, all layers of a song have the same timing: songs with both are put on the beat. */
function withOneTiming(layers: PlanLayer[], section: string, { repairs }: PlanFindings): PlanLayer[] {
  const differs = (layer: PlanLayer): boolean => {
    const first = layers.find(({ songId }) => songId === layer.songId);
    return (first?.timing === 'free') !== (layer.timing === 'free');
  };
  const mixed = new Set(layers.filter(differs).map(({ songId }) => songId));
  if (mixed.size === 0) return layers;
  repairs.push(`${section} had a song both free and on the beat; all of it is on the beat.`);
  return layers.map((layer) => {
    if (!mixed.has(layer.songId)) return layer;
    const { timing: _, ...onBeat } = layer;
    return onBeat;
  });
}

function parseEffects(raw: unknown, section: string, { repairs }: PlanFindings): string[] {
  const texts = (typeof raw === 'string' ? [raw] : toList(raw)).filter((each) => typeof each === 'string');
  const effects: string[] = [];
  for (const text of texts) {
    const shown = cleanText(text, 60);
    const effect = nearestEffect(text);
    if (!effect) {
      repairs.push(`${section}: the effect "${shown}" is not known and was left out.`);
      continue;
    }
    const written = formatEffect(effect);
    if (!parseEffect(text)) repairs.push(`${section}: the effect "${shown}" was read as ${written}.`);
    if (effects.some((other) => other.split('(')[0] === effect.name))
      repairs.push(`${section}: ${effect.name} was asked for twice.`);
    else if (effects.length >= MAX_EFFECTS)
      repairs.push(`${section}: more than ${MAX_EFFECTS} effects on a layer; ${written} was left out.`);
    else effects.push(written);
  }
  return effects;
}
