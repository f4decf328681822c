/** Texts that a planner wrote, kept where they are still true: where the plan is what it wrote. */
import type { AnalyzedSong, Plan, PlanSection } from '../../schema.ts';
import { isRecord, toList, toNumber } from '../loose-values.ts';
import { nearestEffect, parseEffect } from '../plan/effects.ts';
import { resolveSong, resolveStem } from '../plan/names.ts';

/** Levels and lengths that differ by less are the same, in dB and as a share. */
const [SAME_DB, SAME_LENGTH, SAME_BPM] = [0.1, 0.05, 0.01];

type Raw = Record<string, unknown>;

/**
 * Returns which sections of a plan are as a planner wrote them, and whether all of the plan is.
 * @param raw what the planner wrote: any value
 * @param plan what the checks and corrections made of it
 */
export function findUnchanged(
  raw: unknown,
  { masterplan }: Plan,
  songs: readonly AnalyzedSong[],
): { sections: boolean[]; whole: boolean } {
  const master = isRecord(raw) && isRecord(raw['masterplan']) ? raw['masterplan'] : raw;
  const written = isRecord(master) ? toList(master['timeline']) : [];
  const isComparable = written.length === masterplan.timeline.length;
  const sections = masterplan.timeline.map((section, index) => {
    const own = written[index];
    return isComparable && isRecord(own) && isAsWritten(own, section, songs);
  });
  return {
    sections,
    whole: sections.every(Boolean) && isRecord(master) && isTempoAsWritten(master, masterplan.global),
  };
}

function isTempoAsWritten(master: Raw, { targetBPM }: Plan['masterplan']['global']): boolean {
  const global = master['global'] ?? master['global_settings'];
  const bpm = isRecord(global) ? toNumber(global['targetBPM'] ?? global['target_bpm'] ?? global['bpm']) : undefined;
  return bpm !== undefined && Math.abs(bpm - targetBPM) <= SAME_BPM;
}

function isAsWritten(raw: Raw, section: PlanSection, songs: readonly AnalyzedSong[]): boolean {
  const layers = toList(raw['layers']);
  const duration = toNumber(raw['duration_sec'] ?? raw['duration']) ?? 0;
  const tempo = toNumber(raw['tempo_bpm']);
  return (
    layers.length === section.layers.length &&
    Math.abs(duration / section.duration_sec - 1) <= SAME_LENGTH &&
    (tempo === undefined || section.tempo_bpm === undefined || Math.abs(tempo - section.tempo_bpm) <= SAME_BPM) &&
    layers.every((layer, at) => isRecord(layer) && isLayerAsWritten(layer, section.layers[at]!, songs))
  );
}

function isLayerAsWritten(raw: Raw, layer: PlanSection['layers'][number], songs: readonly AnalyzedSong[]): boolean {
  const song = resolveSong(raw['songId'] ?? raw['song_id'] ?? raw['track_id'], songs);
  const level = toNumber(raw['volume_db'] ?? raw['gain_db']);
  const effects = typeof raw['effects'] === 'string' ? [raw['effects']] : toList(raw['effects']);
  const names = effects.map((effect) => (typeof effect === 'string' && nearestEffect(effect)?.name) || 'unknown');
  return (
    song?.song_id === layer.songId &&
    resolveStem(raw['stem']) === layer.stem &&
    (level === undefined || Math.abs(level - layer.volume_db) <= SAME_DB) &&
    (raw['timing'] === 'free') === (layer.timing === 'free') &&
    names.join() === layer.effects.map((effect) => parseEffect(effect)?.name).join()
  );
}

/**
 * Returns a plan with texts of its writer where it is unchanged, and with texts made of it everywhere else.
 * @param written the plan with the texts of its writer
 * @param described the same plan with texts made of it
 * @param unchanged where the plan is what its writer meant
 */
export function keepWrittenTexts(
  written: Plan,
  described: Plan,
  { sections, whole }: { sections: readonly boolean[]; whole: boolean },
): Plan {
  const timeline = described.masterplan.timeline.map((section, index): PlanSection => {
    const own = written.masterplan.timeline[index];
    if (!own || sections[index] !== true) return section;
    const layers = section.layers.map((layer) => {
      const why = own.layers.find(({ songId, stem }) => songId === layer.songId && stem === layer.stem)?.why;
      return why === undefined ? layer : { ...layer, why };
    });
    return { ...section, layers, description: own.description || section.description };
  });
  const problems = written.masterplan.problems_and_solutions;
  return {
    creative_vision: (whole && written.creative_vision) || described.creative_vision,
    masterplan: {
      ...described.masterplan,
      timeline,
      problems_and_solutions: whole && problems.length > 0 ? problems : described.masterplan.problems_and_solutions,
    },
  };
}
