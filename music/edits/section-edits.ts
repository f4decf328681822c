/** Edits of sections: their edges, removal and repetition. */
import type { PlanLayer, PlanSection } from '../../schema.ts';
import { sectionBarSec, sectionBpm } from '../plan/bars.ts';
import { fitSources, sourceSeconds } from '../plan/fit-sources.ts';
import { MAX_SECTIONS } from '../plan/limits.ts';
import { quoteSong } from '../revision/plan-edits.ts';
import { songBars } from '../theory/bars.ts';
import {
  barsText,
  findSection,
  planOf,
  sectionName,
  spliced,
  withEdited,
  type EditContext,
  type EditedSection,
  type EditOf,
  type EditResult,
  type EditState,
} from './edit-state.ts';

/** A section keeps at least so many bars. */
export const MIN_SECTION_BARS = 1;

/**
 * Moves the edge after a section. What plays before and after the moved part stays: the next section starts later or earlier in its
 * songs as well.
 */
export function moveEdge(state: EditState, { section, bars }: EditOf<'move_edge'>, context: EditContext): EditResult {
  const place = findSection(state, section);
  if ('refused' in place || bars === 0) return 'refused' in place ? place : { state };
  const { at, found } = place;
  const next = state.sections[at + 1];
  const grown = { ...found, bars: found.bars + bars };
  const moved = next && { ...next, bars: next.bars - bars, section: startLater(next.section, bars, state, context) };
  const shorter = bars < 0 ? found : next;
  const left = bars < 0 ? grown : moved;
  if (shorter && left && left.bars < Math.min(MIN_SECTION_BARS, shorter.bars))
    return {
      refused: `${sectionName(shorter)} cannot be ${barsText(Math.abs(bars))} shorter: it has ${barsText(shorter.bars)}, and at least ${MIN_SECTION_BARS} must be left.`,
    };
  const fitted: EditedSection[] = [];
  for (const changed of moved ? [grown, moved] : [grown]) {
    const result = fitSection(state, changed, context);
    if ('refused' in result) return result;
    fitted.push(result.fitted);
  }
  return withEdited(state, spliced(state.sections, at, fitted.length, ...fitted));
}

/** The section with its layers starting later in their songs, by bars of the section. Negative: earlier. */
function startLater(section: PlanSection, bars: number, { plan }: EditState, { songs }: EditContext): PlanSection {
  const { global } = plan.masterplan;
  const seconds = bars * sectionBarSec(global, section);
  const later = (layer: PlanLayer): PlanLayer => {
    const song = songs.find(({ song_id }) => song_id === layer.songId);
    if (!song || layer.source_start_sec === undefined) return layer;
    const shift = sourceSeconds(song, seconds, sectionBpm(global, section), layer.timing === 'free');
    return { ...layer, source_start_sec: layer.source_start_sec + shift };
  };
  return {
    ...section,
    layers: section.layers.map(later),
    ...(section.muted ? { muted: section.muted.map((layer) => ({ ...later(layer) })) } : {}),
  };
}

/** Moves the layers of a changed section to downbeats. Refused if a song does not have what the section would play. */
function fitSection(
  state: EditState,
  changed: EditedSection,
  context: EditContext,
): { fitted: EditedSection } | { refused: string } {
  const { songs } = context;
  const findings = { faults: [], repairs: [] };
  const alone = planOf({ ...state, sections: [changed] });
  const [section] = fitSources(alone, songs, findings);
  if (!section) return { refused: `${sectionName(changed)} is removed.` };
  for (const [i, { songId, source_start_sec: start }] of section.layers.entries()) {
    const song = songs.find(({ song_id }) => song_id === songId);
    const wanted = changed.section.layers[i]?.source_start_sec;
    const subject = sectionName(changed);
    if (findings.faults.length > 0 && wanted !== undefined)
      return { refused: `${subject} cannot be longer: ${quoteSong(songs, songId)} is too short.` };
    if (!song || wanted === undefined || start === undefined) continue;
    const { barSec, downbeatsSec } = songBars(song.analysis);
    // Half a bar more than rounding: at half tempo a bar of the mashup is half a bar of the song.
    if (Math.abs(start - wanted) <= barSec * 0.75) continue;
    const isBefore = wanted < (downbeatsSec[0] ?? 0) - barSec / 4;
    const where = isBefore ? 'begins there' : start < wanted ? 'ends there' : 'is silent there';
    return {
      refused: `${subject} cannot ${isBefore ? 'begin earlier' : 'be longer'}: ${quoteSong(songs, songId)} ${where}.`,
    };
  }
  return { fitted: { ...changed, section: { ...changed.section, layers: section.layers } } };
}

/** Removes a section. */
export function removeSection(state: EditState, { section }: EditOf<'remove_section'>): EditResult {
  const place = findSection(state, section);
  if ('refused' in place) return place;
  if (state.sections.length === 1) return { refused: 'The only section cannot be removed.' };
  return withEdited(state, spliced(state.sections, place.at, 1));
}

/** Repeats a section after itself. The repeat has the next free index. */
export function repeatSection(state: EditState, { section }: EditOf<'repeat_section'>): EditResult {
  const place = findSection(state, section);
  if ('refused' in place) return place;
  if (state.sections.length >= MAX_SECTIONS) return { refused: `A mashup has at most ${MAX_SECTIONS} sections.` };
  const { found, at } = place;
  const copy = { ...found, index: state.nextIndex, copyOf: found.copyOf ?? found.index };
  return {
    state: { ...state, sections: spliced(state.sections, at + 1, 0, copy), nextIndex: state.nextIndex + 1 },
  };
}
