/** Chooses the source positions of a draft's layers and writes them as sections of a plan. */
import type { AnalyzedSong, PairScore, PhraseMatch, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { formatEffect, parseEffect } from '../plan/effects.ts';
import { sourceSeconds } from '../plan/fit-sources.ts';
import { allowedStems } from '../plan/limits.ts';
import { vocalsOf } from '../theory/bars.ts';
import { usableStems } from '../theory/content.ts';
import { keyShift, parseKey, type Key } from '../theory/keys.ts';
import type { Draft } from './draft.ts';
import type { ArcSection, SectionKind } from './energy-arc.ts';
import type { LayerDraft } from './layers.ts';
import { MIN_LEAD_PRESENCE, phrasesBetween, type Roles } from './roles.ts';
import { SourcePicker } from './sources.ts';
import type { Targets } from './tempo.ts';

/** Kinds of sections that use the best phrase matches. */
const PHRASE_SECTIONS: readonly SectionKind[] = ['drop', 'peak', 'overture', 'encounter'];

type ArrangeContext = {
  roles: Roles;
  scores: readonly PairScore[];
  limits: PlanLimits;
  targets: Targets;
  /** Beats per bar of the mashup. */
  meter: number;
};

/** Returns the sections of the plan, without texts. Their times are not laid out yet: all start at 0. */
export function arrange({ arc, designs, bpms }: Draft, context: ArrangeContext): PlanSection[] {
  const { roles, scores, targets, meter } = context;
  const { key, main } = targets;
  const picker = new SourcePicker();
  const stems = allowedStems(context.limits);
  const shift = key ? shiftTo(roles.lead, key) - shiftTo(roles.groove, key) : undefined;
  const phrases = phrasesBetween(scores, roles.lead.song_id, roles.groove.song_id, shift);

  return arc.map((section, index) => {
    const layers = designs[index] ?? [];
    const bpm = bpms[index] ?? main;
    const durationSec = (section.bars * meter * 60) / bpm;
    const neededSec = (song: AnalyzedSong): number => {
      const isFree = layers.some((layer) => layer.song === song && layer.free);
      return sourceSeconds(song, durationSec, bpm, isFree);
    };
    const starts = chooseStarts(section, layers, roles, phrases, { picker, neededSec });
    return {
      time_start_sec: 0,
      duration_sec: durationSec,
      description: '',
      energy_level: section.energy,
      ...(bpm === main ? {} : { tempo_bpm: bpm }),
      layers: layers.flatMap((layer): PlanLayer[] => {
        const start = starts.get(layer.song.song_id) ?? 0;
        const audible = replaceSilentVoice(layer, layers, stems, start, neededSec(layer.song));
        return audible ? [toPlanLayer(audible, start)] : [];
      }),
    };
  });
}

type SourceChoice = { picker: SourcePicker; neededSec: (song: AnalyzedSong) => number };

/**
 * Chooses where each song starts in a section, in seconds by song id. A phrase match, which is taken from `phrases`, places
 * voice and bed together; otherwise songs are placed one by one.
 */
function chooseStarts(
  { kind, energy }: ArcSection,
  layers: readonly LayerDraft[],
  { lead, groove }: Roles,
  phrases: PhraseMatch[],
  { picker, neededSec }: SourceChoice,
): Map<string, number> {
  const starts = new Map<string, number>();
  const hasBoth = [lead, groove].every((song) => layers.some((layer) => layer.song === song));
  const phrase = PHRASE_SECTIONS.includes(kind) && hasBoth ? phrases.shift() : undefined;
  if (phrase) {
    starts.set(lead.song_id, picker.reserve(lead, phrase.vocals_start_sec, neededSec(lead)));
    starts.set(groove.song_id, picker.reserve(groove, phrase.bed_start_sec, neededSec(groove)));
  }
  for (const { song } of layers) {
    if (starts.has(song.song_id)) continue;
    const sings = layers.some((layer) => layer.song === song && layer.stem === 'vocals');
    const isInstrumental = !sings && layers.some((layer) => layer.song === song && layer.stem === 'other');
    const voice = sings ? 1 : isInstrumental ? -0.5 : 0;
    starts.set(song.song_id, picker.pick({ song, neededSec: neededSec(song), energy, voice }));
  }
  return starts;
}

/** Returns the semitones by which a song is shifted to a key; 0 if its own key is unknown. */
function shiftTo(song: AnalyzedSong, target: Key): number {
  const key = parseKey(song.analysis.harmonic.key);
  return key ? keyShift(key, target) : 0;
}

/** Replaces a voice that is silent in its part of the song by the song's melody; null if the section has that already. */
function replaceSilentVoice(
  layer: LayerDraft,
  section: readonly LayerDraft[],
  stems: readonly Stem[],
  start: number,
  neededSec: number,
): LayerDraft | null {
  const { song, stem } = layer;
  if (stem !== 'vocals' || vocalsOf(song.analysis, start, start + neededSec) >= MIN_LEAD_PRESENCE) return layer;
  const hasMelody = section.some((other) => other.song === song && other.stem === 'other');
  if (hasMelody) return null;
  if (!stems.includes('other')) return layer;
  if (!usableStems(song).includes('other')) return null;
  return { ...layer, stem: 'other', volume_db: layer.volume_db - 2 };
}

function toPlanLayer({ song, stem, volume_db, effects, free }: LayerDraft, start: number): PlanLayer {
  const canonical = effects.flatMap((text) => {
    const effect = parseEffect(text);
    return effect ? [formatEffect(effect)] : [];
  });
  return {
    songId: song.song_id,
    stem,
    volume_db,
    effects: canonical,
    source_start_sec: start,
    ...(free ? { timing: 'free' as const } : {}),
  };
}
