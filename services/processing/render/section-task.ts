/** The job of rendering one section, as it is sent to a thread. */
import type { Curve } from '../../../schema.ts';
import type { Arrangement, LayerSlice } from '../plan/arrangement.ts';
import { parseLayerEffects } from '../plan/layer-effects.ts';
import type { RenderPlan } from '../plan/plan.ts';
import { sourceAt } from '../plan/run.ts';
import type { RenderSong } from '../song/song.ts';
import type { SectionTask } from '../sound/section.ts';
import type { SliceAudio } from '../sound/slice.ts';
import type { RenderedRun } from './run-store.ts';

/** Step of the vocal presence curves, in seconds. */
const PRESENCE_HOP_SEC = 0.1;

/**
 * Makes the task of section `i`. Returns warnings for effects that are not in the grammar.
 * @param runs the rendered runs by id
 */
export function makeSectionTask(
  i: number,
  plan: RenderPlan,
  arrangement: Arrangement,
  songs: ReadonlyMap<string, RenderSong>,
  runs: ReadonlyMap<number, RenderedRun>,
): { task: SectionTask; warnings: string[] } {
  const { start, end, bpm } = plan.sections[i]!;
  const warnings: string[] = [];
  const slices = arrangement.sections[i]!.map((slice): SliceAudio => {
    const parsed = parseLayerEffects(slice.effects);
    warnings.push(...parsed.warnings);
    const isVoice = slice.stem === 'vocals';
    return {
      songId: slice.songId,
      stem: slice.stem,
      volumeDb: slice.volumeDb,
      effects: parsed.effects,
      joinsPrevious: slice.joinsPrevious,
      joinsNext: slice.joinsNext,
      parts: slice.parts.map((part) => ({ ...runs.get(part.runId)!, start: part.start, end: part.end })),
      presence: isVoice ? presenceAlong(slice, songs.get(slice.songId)!, arrangement, { start, end }) : undefined,
    };
  });
  const task = {
    start,
    end,
    bpm,
    beatsPerBar: plan.beatsPerBar,
    tunedTo: arrangement.tunedTo,
    first: i === 0,
    last: i === plan.sections.length - 1,
    slices,
  };
  return { task, warnings };
}

/** Presence of singing along a slice, from the start of the section on; undefined if the song's analysis has none. */
function presenceAlong(
  slice: LayerSlice,
  song: RenderSong,
  arrangement: Arrangement,
  span: { start: number; end: number },
): Curve | undefined {
  const curve = song.vocals;
  if (!curve) return undefined;
  const values = Array.from({ length: Math.ceil((span.end - span.start) / PRESENCE_HOP_SEC) }, (_, k) => {
    const at = span.start + (k + 0.5) * PRESENCE_HOP_SEC;
    const playing = slice.parts.find(({ end }) => at < end) ?? slice.parts.at(-1)!;
    const source = sourceAt(arrangement.runs[playing.runId]!, song, at);
    return curve.values[Math.max(0, Math.floor(source / curve.hop_sec))] ?? 0;
  });
  return { hop_sec: PRESENCE_HOP_SEC, values };
}
