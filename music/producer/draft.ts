/** The draft of a mashup: its sections with their bars, layers and tempi, before source positions are chosen. */
import type { AnalyzedSong, PlanLimits, Stem } from '../../schema.ts';
import { sourceSeconds } from '../plan/fit-sources.ts';
import { allowedStems } from '../plan/limits.ts';
import { songBars } from '../theory/bars.ts';
import { hasBeat, usableStems } from '../theory/content.ts';
import { canMatchTempo } from '../theory/tempo.ts';
import { layOutArc, type ArcSection } from './energy-arc.ts';
import { designFreeSection } from './free-sections.ts';
import { playableLayers, type LayerDraft } from './layers.ts';
import { usableSeconds } from './lengths.ts';
import type { Roles } from './roles.ts';
import { designSection } from './sections.ts';
import { tempoOf, type Tempi } from './tempo.ts';
import { designTwoTempoSection } from './two-tempo-sections.ts';

/** Sections are multiples of this number of bars if all songs have the same meter. */
const PHRASE_BARS = 4;

/** `designs[i]` and `bpms[i]` belong to `arc[i]`. */
export type Draft = { arc: ArcSection[]; designs: LayerDraft[][]; bpms: number[]; seconds: number };

type DraftRequest = {
  songs: readonly AnalyzedSong[];
  roles: Roles;
  tempi: Tempi;
  limits: PlanLimits;
  /** Beats per bar of the mashup. */
  meter: number;
  /** Wanted length. Undefined: chosen by the length of the songs. */
  lengthSec: number | undefined;
};

/** Drafts the sections so that the length is near the wanted one and within the limits. */
export function draftArc({ songs, roles, tempi, limits, meter, lengthSec }: DraftRequest): Draft {
  const sectionCap = Math.min(...songs.map((song) => barsThatFit(song, tempi, meter)));
  const unit = commonBars(songs, meter);
  const draftOf = (bars: number, minBars: number, maxBars: number): Draft => {
    const arc = layOutArc({ bars, minBars, maxBars, sectionCap, unit, twoTempi: roles.twoTempi });
    const designs = designSections(arc, roles, tempi, allowedStems(limits));
    const bpms = designs.map((layers) => tempoOf(layers, tempi));
    const seconds = arc.reduce((sum, section, i) => sum + (section.bars * meter * 60) / (bpms[i] ?? tempi.main), 0);
    return { arc, designs, bpms, seconds };
  };
  return fitLength(draftOf, lengthSec ?? defaultLength(songs), { limits, tempi, meter, unit });
}

/** Returns the default length in seconds: 60 to 90 for short songs, up to 150 for longer ones. */
function defaultLength(songs: readonly AnalyzedSong[]): number {
  const mean = songs.reduce((sum, song) => sum + usableSeconds(song), 0) / songs.length;
  return mean < 90 ? Math.min(90, Math.max(60, mean * 1.2)) : Math.min(150, Math.max(90, mean * 0.55));
}

/** Returns how many bars of the mashup a song can fill from its first downbeat on, at either tempo or at its own speed. */
function barsThatFit(song: AnalyzedSong, { main, second }: Tempi, meter: number): number {
  const { bpm: songBpm, durationSec, downbeatsSec } = songBars(song.analysis);
  const available = durationSec - (downbeatsSec[0] ?? 0);
  const fits = (bpm: number): number =>
    available / sourceSeconds(song, (60 / bpm) * meter, bpm, !hasBeat(song.analysis) || !canMatchTempo(songBpm, bpm));
  return Math.max(1, Math.floor(Math.min(fits(main), fits(second)) + 1e-6));
}

/** Returns PHRASE_BARS, or for different meters the number of bars after which all bar lines coincide. */
function commonBars(songs: readonly AnalyzedSong[], meter: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const beats = songs.reduce((all, song) => {
    const own = songBars(song.analysis).meter;
    return (all * own) / gcd(all, own);
  }, meter);
  return beats === meter ? PHRASE_BARS : beats / meter;
}

type Bounds = { limits: PlanLimits; tempi: Tempi; meter: number; unit: number };

/**
 * Returns the draft whose length is nearest to the wanted one and within the limits. Drafts of whole phrases are preferred where one is
 * half a phrase away at most.
 */
function fitLength(
  draftOf: (bars: number, minBars: number, maxBars: number) => Draft,
  wantedSec: number,
  { limits: { min_length_sec, max_length_sec }, tempi: { main, second }, meter, unit }: Bounds,
): Draft {
  const slow = (60 / Math.min(main, second)) * meter;
  const fast = (60 / Math.max(main, second)) * meter;
  const target = Math.min(max_length_sec, Math.max(min_length_sec, wantedSec));
  // With two tempi the length of a number of bars is known only after they are laid out: all numbers are tried.
  const fewest = Math.max(1, second === main ? Math.floor(target / slow) - unit : Math.floor(min_length_sec / slow));
  const most = Math.max(fewest, second === main ? Math.ceil(target / fast) + unit : Math.ceil(max_length_sec / fast));
  const drafts = Array.from({ length: most - fewest + 1 }, (_, i) => draftOf(fewest + i, fewest + i, fewest + i));
  const deviation = ({ seconds }: Draft): number => {
    const excess = Math.max(0, seconds - max_length_sec, min_length_sec - seconds);
    return Math.abs(seconds - target) + (excess < TOLERANCE_SEC ? 0 : 1_000 * excess);
  };
  const nearest = (list: readonly Draft[]): Draft | undefined =>
    list.reduce<Draft | undefined>(
      (best, each) => (best && deviation(best) <= deviation(each) ? best : each),
      undefined,
    );
  for (let phrase = unit; phrase > 1; phrase = Math.floor(phrase / 2)) {
    const whole = nearest(drafts.filter(({ arc }) => arc.every(({ bars }) => bars % phrase === 0)));
    if (whole && deviation(whole) <= (unit / 2) * slow + TOLERANCE_SEC) return whole;
  }
  return nearest(drafts) ?? draftOf(1, 1, 1);
}

/** Difference of lengths below which they are the same: rounding. */
const TOLERANCE_SEC = 1e-6;

/** Designs all sections with the allowed stems. Each song is used in at least one section. */
function designSections(
  arc: readonly ArcSection[],
  roles: Roles,
  tempi: Tempi,
  stems: readonly Stem[],
): LayerDraft[][] {
  const songs = [roles.lead, roles.groove, ...(roles.colour ? [roles.colour] : [])];
  let part = 0;
  const designs = arc.map((section, index): LayerDraft[] => {
    part = arc[index - 1]?.kind === section.kind ? part + 1 : 0;
    const layers = roles.withoutGroove
      ? designFreeSection(section.kind, roles, part)
      : roles.twoTempi
        ? designTwoTempoSection(section.kind, roles, tempi)
        : designSection(section.kind, roles);
    const allowed = withoutDuplicates(playableLayers(layers).filter((layer) => stems.includes(layer.stem)));
    const song = songs[index % songs.length] ?? roles.lead;
    return allowed.length > 0 ? allowed : [fallbackLayer(song, stems)];
  });
  const sectionsWith = (song: AnalyzedSong): number =>
    designs.filter((layers) => layers.some((layer) => layer.song === song)).length;
  for (const song of songs) {
    if (sectionsWith(song) > 0) continue;
    const spare = designs.findLastIndex((layers) => layers.every((layer) => sectionsWith(layer.song) > 1));
    if (spare >= 0) designs[spare] = [fallbackLayer(song, stems)];
  }
  return designs;
}

/** Returns the first draft of each stem of each song. */
function withoutDuplicates(drafts: readonly LayerDraft[]): LayerDraft[] {
  return drafts.filter(
    (layer, at) => drafts.findIndex((other) => other.song === layer.song && other.stem === layer.stem) === at,
  );
}

/** Returns a layer of the first allowed stem, for sections whose stems are all excluded by the limits. */
function fallbackLayer(song: AnalyzedSong, stems: readonly Stem[]): LayerDraft {
  const usable = usableStems(song);
  return {
    song,
    stem: stems.find((stem) => usable.includes(stem)) ?? stems[0] ?? 'other',
    volume_db: -5,
    effects: [],
    free: !hasBeat(song.analysis),
  };
}
