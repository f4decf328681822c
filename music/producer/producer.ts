/**
 * The rule-based producer: makes a plan from analyses and scores alone, without a model. It knows what a DJ knows by heart:
 * one song sings, one carries the beat, everything meets where it has to move least, and an arc goes from a filtered beat
 * through a drop and a break to a peak.
 *
 * The same input and seed give the same plan.
 */
import type { AnalyzedSong, PairScore, Plan, PlanLayer, PlanLimits, PlanSection, Stem } from '../../schema.ts';
import { formatEffect, parseEffect } from '../plan/effects.ts';
import { songGrid, vocalsOf } from '../theory/bars.ts';
import { formatKey, keyShift, parseKey, type Key } from '../theory/keys.ts';
import { layOutBars } from '../plan/bars.ts';
import { sourceSeconds } from '../plan/musical-checks.ts';
import { allowedStems, limitsFor } from '../plan/limits.ts';
import { creditsOf, textOf } from '../plan/parse-plan.ts';
import { designApart } from './separate-tempi.ts';
import { layOutArc, type ArcSection, type SectionKind } from './energy-arc.ts';
import { designSection, type LayerIdea, type SectionIdea } from './layers.ts';
import { SILENT_BELOW, chooseRoles, phrasesBetween, type Roles } from './roles.ts';
import { SourcePicker } from './sources.ts';
import { chooseTempi, tempoOf, type Tempi } from './tempo.ts';
import { problemsOf, titleOf, visionOf, type Targets } from './texts.ts';
import { revisePlan } from '../revision/revise.ts';
import { chooseKey, type Weighted } from './targets.ts';
import { canMeet } from '../theory/tempo.ts';

export type ProducerRequest = {
  /** Two or three. */
  songs: AnalyzedSong[];
  scores: PairScore[];
  limits: PlanLimits;
  seed: number;
  length_sec?: number;
  wishes?: string;
};

/** Sections that the best phrases are kept for. */
const MEETINGS: readonly SectionKind[] = ['drop', 'peak', 'overture', 'encounter'];
/** Bars that sections are multiples of, where one meter rules. */
const PHRASE_BARS = 4;

/** A generator of numbers in 0..1 from a seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes a plan that passes `checkPlan`. Works with analyses that hold nothing but the contract's members. */
export function producePlan(request: ProducerRequest): Plan {
  const { songs, scores } = request;
  const limits = limitsFor(songs, request.limits);
  const random = seededRandom(request.seed);
  const roles = chooseRoles(songs, scores, random);
  const weighted = weighSongs(roles);
  const key = chooseKey(weighted);
  const tempi = chooseTempi(roles, weighted);
  const targets: Targets = { ...tempi, key, keyName: formatKey(key ?? { tonic: 0, mode: 'major' }) };
  const meter = songGrid(roles.groove.analysis).meter;
  const sectionCap = Math.min(...songs.map((song) => barsThatFit(song, tempi, meter)));
  const unit = commonBars(songs, meter);
  const lay = (bars: number, minBars: number, maxBars: number): Draft =>
    draftBars(
      layOutArc({
        bars,
        minBars,
        maxBars,
        sectionCap,
        unit,
        apart: roles.apart,
      }),
      roles,
      tempi,
      allowedStems(request.limits),
      meter,
    );
  const draft = fitLength(lay, wantedLength(songs, request.length_sec), limits, tempi, meter);
  const sections = arrange(draft, roles, request, targets, meter);
  const global = { targetBPM: tempi.home, targetKey: targets.keyName, timeSignature: [meter, 4] as [number, number] };
  const plan: Plan = {
    creative_vision: visionOf(roles, targets, random),
    masterplan: {
      title: titleOf(roles, random),
      artistCredits: creditsOf([roles.lead, roles.groove, ...(roles.colour ? [roles.colour] : [])]),
      global,
      timeline: layOutBars(
        sections,
        draft.arc.map((section) => section.bars),
        global,
      ),
      problems_and_solutions: problemsOf(songs, roles, targets, meter, scores),
    },
  };
  if (!request.wishes) return plan;
  return revisePlan({ plan, feedback: request.wishes, songs, limits: request.limits }).plan;
}

/** Voices bear a stretch and a shift worse than drums and bass do. */
function weighSongs({ lead, groove, colour }: Roles): Weighted[] {
  return [
    { song: lead, tempoWeight: 1.2, keyWeight: 1.5 },
    { song: groove, tempoWeight: 1, keyWeight: 1 },
    ...(colour ? [{ song: colour, tempoWeight: 0.6, keyWeight: 0.6 }] : []),
  ];
}

/** Short songs give 60 to 90 s, longer ones up to 150 s; the limits have the last word. */
function wantedLength(songs: readonly AnalyzedSong[], wanted: number | undefined): number {
  if (wanted !== undefined) return wanted;
  const mean = songs.reduce((sum, song) => sum + songGrid(song.analysis).durationSec, 0) / songs.length;
  return mean < 90 ? Math.min(90, Math.max(60, mean * 1.2)) : Math.min(150, Math.max(90, mean * 0.55));
}

/** Bars of the mashup that a song can fill from its first downbeat to its end, at either tempo or free beside it. */
function barsThatFit(song: AnalyzedSong, { home, away }: Tempi, meter: number): number {
  const grid = songGrid(song.analysis);
  const available = grid.durationSec - (grid.downbeatsSec[0] ?? 0);
  const fits = (bpm: number): number =>
    available / sourceSeconds(song, (60 / bpm) * meter, bpm, !canMeet(grid.bpm, bpm));
  return Math.max(1, Math.floor(Math.min(fits(home), fits(away)) + 1e-6));
}

/** The arc with what is heard in it and the tempo of each of its sections. */
type Draft = { arc: ArcSection[]; designs: SectionIdea[]; bpms: number[]; seconds: number };

function draftBars(arc: ArcSection[], roles: Roles, tempi: Tempi, stems: readonly Stem[], meter: number): Draft {
  const designs = designSections(arc, roles, tempi, stems);
  const bpms = designs.map(({ layers }) => tempoOf(layers, tempi));
  const seconds = arc.reduce((sum, { bars }, i) => sum + (bars * meter * 60) / (bpms[i] ?? tempi.home), 0);
  return { arc, designs, bpms, seconds };
}

/** The draft whose length is nearest to the wanted one and within the limits. */
function fitLength(
  lay: (bars: number, minBars: number, maxBars: number) => Draft,
  wantedSec: number,
  { min_length_sec, max_length_sec }: PlanLimits,
  { home, away }: Tempi,
  meter: number,
): Draft {
  const barSec = (60 / home) * meter;
  if (away === home)
    return lay(
      Math.round(wantedSec / barSec),
      Math.ceil(min_length_sec / barSec - 1e-6),
      Math.max(1, Math.floor(max_length_sec / barSec + 1e-6)),
    );
  // Bars differ in length with the tempo: how long so many of them last shows only when they are laid out.
  const slow = (60 / Math.min(home, away)) * meter;
  const fast = (60 / Math.max(home, away)) * meter;
  const fewest = Math.max(1, Math.floor(min_length_sec / slow));
  const counts = Array.from(
    { length: Math.max(1, Math.ceil(max_length_sec / fast) - fewest + 1) },
    (_, i) => fewest + i,
  );
  const target = Math.min(max_length_sec, Math.max(min_length_sec, wantedSec));
  const off = ({ seconds }: Draft): number =>
    Math.abs(seconds - target) + 1_000 * Math.max(0, seconds - max_length_sec, min_length_sec - seconds);
  return counts.map((count) => lay(count, count, count)).reduce((best, each) => (off(each) < off(best) ? each : best));
}

/** Four bars, or where meters differ as many bars as it takes until all bar lines meet. */
function commonBars(songs: readonly AnalyzedSong[], meter: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const beats = songs.reduce((all, song) => {
    const own = songGrid(song.analysis).meter;
    return (all * own) / gcd(all, own);
  }, meter);
  return beats === meter ? PHRASE_BARS : beats / meter;
}

function arrange(
  { arc, designs, bpms }: Draft,
  roles: Roles,
  request: ProducerRequest,
  { home, key }: Targets,
  meter: number,
): PlanSection[] {
  const picker = new SourcePicker();
  const stems = allowedStems(request.limits);
  const shift = key ? shiftTo(roles.lead, key) - shiftTo(roles.groove, key) : undefined;
  const phrases = phrasesBetween(request.scores, roles.lead.song_id, roles.groove.song_id, shift);

  return arc.map((section, index) => {
    const { description, layers } = designs[index] ?? { description: '', layers: [] };
    const bpm = bpms[index] ?? home;
    const durationSec = (section.bars * meter * 60) / bpm;
    const needed = (song: AnalyzedSong): number =>
      sourceSeconds(
        song,
        durationSec,
        bpm,
        layers.some((layer) => layer.song === song && layer.free),
      );
    // A phrase match places voice and bed together; everything else is chosen song by song.
    const starts = new Map<string, number>();
    const both = [roles.lead, roles.groove].every((song) => layers.some((layer) => layer.song === song));
    const phrase = MEETINGS.includes(section.kind) && both ? phrases.shift() : undefined;
    if (phrase) {
      starts.set(roles.lead.song_id, picker.take(roles.lead, phrase.vocals_start_sec, needed(roles.lead)));
      starts.set(roles.groove.song_id, picker.take(roles.groove, phrase.bed_start_sec, needed(roles.groove)));
    }
    for (const { song } of layers) {
      if (starts.has(song.song_id)) continue;
      const sings = layers.some((layer) => layer.song === song && layer.stem === 'vocals');
      const instrumental = !sings && layers.some((layer) => layer.song === song && layer.stem === 'other');
      const voice = sings ? 1 : instrumental ? -0.5 : 0;
      starts.set(song.song_id, picker.pick({ song, neededSec: needed(song), energy: section.energy, voice }));
    }
    return {
      time_start_sec: 0,
      duration_sec: durationSec,
      description: textOf(description, 400),
      energy_level: section.energy,
      ...(bpm === home ? {} : { tempo_bpm: bpm }),
      layers: layers.flatMap((layer): PlanLayer[] => {
        const start = starts.get(layer.song.song_id) ?? 0;
        const heard = withoutSilence(layer, layers, stems, start, needed(layer.song));
        return heard ? [toLayer(heard, start)] : [];
      }),
    };
  });
}

/** Semitones that a song is shifted in a key; 0 where its own is not known. */
function shiftTo(song: AnalyzedSong, target: Key): number {
  const key = parseKey(song.analysis.harmonic.key);
  return key ? keyShift(key, target) : 0;
}

/** A voice that is silent where the section plays its song gives way to that song's melody; null where that plays already. */
function withoutSilence(
  layer: LayerIdea,
  section: readonly LayerIdea[],
  stems: readonly Stem[],
  start: number,
  neededSec: number,
): LayerIdea | null {
  const { song, stem } = layer;
  if (stem !== 'vocals' || vocalsOf(song.analysis, start, start + neededSec) >= SILENT_BELOW) return layer;
  const hasMelody = section.some((other) => other.song === song && other.stem === 'other');
  if (hasMelody) return null;
  if (!stems.includes('other')) return layer;
  return { ...layer, stem: 'other', volume_db: layer.volume_db - 2, why: 'Nobody sings here: the melody leads' };
}

/** Designs all sections with the stems that may be used, and sees to it that no song is left out. */
function designSections(arc: readonly ArcSection[], roles: Roles, tempi: Tempi, stems: readonly Stem[]): SectionIdea[] {
  const songs = [roles.lead, roles.groove, ...(roles.colour ? [roles.colour] : [])];
  let part = 0;
  const designs = arc.map((section, index): SectionIdea => {
    part = arc[index - 1]?.kind === section.kind ? part + 1 : 0;
    const { description, layers } = roles.apart
      ? designApart(section.kind, roles, tempi, part)
      : designSection(section.kind, roles, part);
    const allowed = withoutDoubles(layers.filter((layer) => stems.includes(layer.stem)));
    const song = songs[index % songs.length] ?? roles.lead;
    return { description, layers: allowed.length > 0 ? allowed : [stopgap(song, stems)] };
  });
  const heardIn = (song: AnalyzedSong): SectionIdea[] =>
    designs.filter(({ layers }) => layers.some((layer) => layer.song === song));
  for (const song of songs) {
    if (heardIn(song).length > 0) continue;
    const spare = designs.findLast(({ layers }) => layers.every((layer) => heardIn(layer.song).length > 1));
    if (spare) spare.layers = [stopgap(song, stems)];
  }
  return designs;
}

function toLayer({ song, stem, volume_db, effects, why, free }: LayerIdea, start: number): PlanLayer {
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
    why,
  };
}

function withoutDoubles(ideas: readonly LayerIdea[]): LayerIdea[] {
  return ideas.filter(
    (layer, at) => ideas.findIndex((other) => other.song === layer.song && other.stem === layer.stem) === at,
  );
}

/** Where the limits leave none of a section's stems: what there is. */
function stopgap(song: AnalyzedSong, stems: readonly Stem[]): LayerIdea {
  return {
    song,
    stem: stems[0] ?? 'other',
    volume_db: -5,
    effects: [],
    why: 'The limits leave this stem',
    free: false,
  };
}
