/** Changes of speed of the songs in a mashup. */
import { shortenText } from '../../../music/plan/text.ts';
import { AUDIBLE_TEMPO_CHANGE, COMFORTABLE_TEMPO_CHANGE, tempoChange } from '../../../music/theory/tempo.ts';
import type { RenderPlan, RenderSection } from '../plan/plan.ts';
import type { RenderSong } from '../song/song.ts';

/** Longest name of a song in a warning. */
const MAX_NAME_LENGTH = 60;

/** Songs that keep the beat of a section. */
export const songsOnBeat = ({ layers }: RenderSection): Set<string> =>
  new Set(layers.filter(({ free }) => !free).map(({ songId }) => songId));

/** Largest change of speed of each song over the sections in which it keeps the beat, as a share. */
export function tempoChanges(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Map<string, number> {
  const changes = new Map<string, number>();
  for (const section of plan.sections)
    for (const id of songsOnBeat(section)) {
      const change = tempoChange(songs.get(id)!.grid.bpm, section.bpm);
      changes.set(id, Math.max(changes.get(id) ?? 0, change));
    }
  return changes;
}

/** A warning for each song whose change of speed may be audible. */
export function tempoWarnings(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): string[] {
  return [...tempoChanges(plan, songs)]
    .filter(([, change]) => change > COMFORTABLE_TEMPO_CHANGE)
    .map(([id, change]) => {
      const effect = change > AUDIBLE_TEMPO_CHANGE ? 'everyone will hear it' : 'attentive listeners may hear it';
      return `The tempo of "${shortenText(songs.get(id)!.name, MAX_NAME_LENGTH)}" is changed by ${Math.round(100 * change)} %: ${effect}.`;
    });
}
