/** Layers that fit what songs contain: voices alone, no voice, no beat. */
import type { AnalyzedSong, Plan, PlanSection } from '../../schema.ts';
import { contentOf, hasBeat, usableStems } from '../theory/content.ts';
import type { PlanFindings } from './findings.ts';

/**
 * Removes layers of stems that a song does not have, and other voices beside voices alone. Sets songs without a beat free. Each change is a
 * repair. A section of which nothing is left is a fault, found by the musical checks.
 */
export function fitContent(plan: Plan, songs: readonly AnalyzedSong[], { repairs }: PlanFindings): PlanSection[] {
  return plan.masterplan.timeline.map((section, index) => {
    const name = `Section ${index + 1}`;
    const songOf = (id: string): AnalyzedSong | undefined => songs.find((song) => song.song_id === id);
    const present = section.layers.filter(({ songId, stem }) => {
      const song = songOf(songId);
      const isUsable = !song || usableStems(song).includes(stem);
      if (!isUsable) repairs.push(`${name}: "${songId}" has no ${stem} to use; the layer was removed.`);
      return isUsable;
    });
    const soloist = present.find(({ songId, stem }) => {
      const song = songOf(songId);
      return stem === 'vocals' && song !== undefined && contentOf(song) === 'acapella';
    });
    const layers = present.filter(({ songId, stem }) => {
      const isSecond = soloist !== undefined && stem === 'vocals' && songId !== soloist.songId;
      if (isSecond)
        repairs.push(`${name}: the vocals of "${songId}" were removed beside the a cappella "${soloist.songId}".`);
      return !isSecond;
    });
    const timed = layers.map((layer) => {
      const song = songOf(layer.songId);
      return song && !hasBeat(song.analysis) && layer.timing !== 'free' ? { ...layer, timing: 'free' as const } : layer;
    });
    return { ...section, layers: timed };
  });
}
