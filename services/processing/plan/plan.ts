/** Parses the masterplan of a request and puts its sections on the beat grid of the mashup. */
import { z } from 'zod';
import { LayerTiming, type RenderRequest, Shift, Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';

/** The bounds of the plan's schema. A level outside is clamped. */
const MIN_DB = -60;
const MAX_DB = 12;
/** The contract's default for a section without a duration. */
const DEFAULT_SECTION_SEC = 10;
/** Longest mashup that is rendered; memory grows with its length. */
const MAX_MASHUP_SEC = 600;
const DEFAULT_BPM = 120;

const LooseLayer = z.looseObject({
  songId: z.string().min(1),
  stem: Stem,
  volume_db: z.coerce.number().catch(0),
  effects: z.array(z.string()).catch([]),
  source_start_sec: z.number().min(0).optional().catch(undefined),
  timing: LayerTiming.optional().catch(undefined),
});
const LooseSection = z.looseObject({
  time_start_sec: z.number().min(0).optional().catch(undefined),
  duration_sec: z.number().positive().catch(DEFAULT_SECTION_SEC),
  description: z.string().catch(''),
  energy_level: z.number().catch(0.5),
  tempo_bpm: z.number().min(40).max(240).optional().catch(undefined),
  layers: z.array(LooseLayer),
});
type LooseSection = z.infer<typeof LooseSection>;
const LooseSettings = z.looseObject({
  targetBPM: z.number().min(40).max(240).optional().catch(undefined),
  targetKey: z.string().optional().catch(undefined),
  shifts: z.record(z.string(), Shift).default({}).catch({}),
  timeSignature: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional().catch(undefined),
});

export type RenderLayer = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: string[];
  /** Second of the song from which the layer plays; undefined if the plan leaves the choice to the renderer. */
  sourceStartSec: number | undefined;
  /** Whether the layer plays at the song's own speed, independent of the beat. */
  free: boolean;
};

export type RenderSection = {
  /** Seconds of the mashup. The first section starts at 0, and each one starts where the one before ends. */
  start: number;
  end: number;
  bpm: number;
  description: string;
  /** 0..1 */
  energy: number;
  layers: RenderLayer[];
};

export type RenderPlan = {
  /** Tempo of the whole mashup; sections may have their own. */
  bpm: number;
  /** `N/A` if the plan names none: songs then keep their keys. */
  key: string;
  /** Semitones by which songs are shifted, by song id; other songs by their keys. */
  shifts: Readonly<Record<string, number>>;
  beatsPerBar: number;
  durationSec: number;
  sections: RenderSection[];
};

/**
 * Parses the plan of a request. A section starts where the plan says, rounded to a beat of the section before. It lasts until the
 * next one starts, and the last as long as the plan says. A warning tells where that makes a section shorter or longer than
 * planned. The first section starts at 0.
 * @throws RenderError plan_empty, plan_section_empty, plan_invalid, plan_unknown_song
 */
export function parseRenderPlan(request: Pick<RenderRequest, 'masterplan' | 'songs'>): {
  plan: RenderPlan;
  warnings: string[];
} {
  const ordered = inOrder(parseSections(request));
  const settings = LooseSettings.parse(request.masterplan.global_settings);
  const bpm = settings.targetBPM ?? firstTempo(request) ?? DEFAULT_BPM;
  const { starts, total, warnings } = scheduleSections(ordered, 60 / bpm);
  if (total > MAX_MASHUP_SEC)
    throw planError(`The plan is ${Math.round(total)} s long; the limit is ${MAX_MASHUP_SEC} s`);
  const plan = {
    bpm,
    key: settings.targetKey ?? 'N/A',
    shifts: settings.shifts,
    beatsPerBar: settings.timeSignature?.[0] ?? 4,
    durationSec: total,
    sections: roundToBeats(ordered, bpm, starts, total).filter((section) => section.end > section.start),
  };
  return { plan, warnings };
}

function planError(message: string, cause?: unknown): RenderError {
  return new RenderError('plan_invalid', message, 'Correct the plan and render again.', cause);
}

/** The sections of a request. Each has layers, and only songs of the request. */
function parseSections({
  masterplan: { timeline },
  songs,
}: Pick<RenderRequest, 'masterplan' | 'songs'>): LooseSection[] {
  if (timeline.length === 0) {
    throw new RenderError('plan_empty', 'The plan has no sections', 'Plan again: a mashup needs at least one section.');
  }
  const parsed = z.array(LooseSection).safeParse(timeline);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw planError(`The plan's timeline.${issue.path.join('.')} cannot be used: ${issue.message}`, parsed.error);
  }
  const known = new Set(songs.map((song) => song.song_id));
  parsed.data.forEach((section, i) => {
    const label = section.description ? `Section ${i + 1} ("${section.description}")` : `Section ${i + 1}`;
    if (section.layers.length === 0) {
      throw new RenderError('plan_section_empty', `${label} has no layers`, 'Give it a layer or leave it out.');
    }
    const unknown = section.layers.find((layer) => !known.has(layer.songId));
    if (unknown) {
      throw new RenderError(
        'plan_unknown_song',
        `${label} uses the song "${unknown.songId}", which is not in the request`,
        'Use the song_id of a song in songs[].',
      );
    }
  });
  return parsed.data;
}

/** Sections by their start; a section without one is placed by its position in the list. */
function inOrder(sections: readonly LooseSection[]): LooseSection[] {
  return sections
    .map((section, i) => ({ section, i }))
    .sort((a, b) => (a.section.time_start_sec ?? a.i) - (b.section.time_start_sec ?? b.i) || a.i - b.i)
    .map(({ section }) => section);
}

/**
 * Seconds at which sections start: as planned, counted from the first, and after the section before. A start that is missing or
 * not later than the one before is where the section before ends.
 */
function scheduleSections(
  ordered: readonly LooseSection[],
  beat: number,
): { starts: number[]; total: number; warnings: string[] } {
  const warnings: string[] = [];
  const first = ordered[0]!.time_start_sec ?? 0;
  if (first > beat / 2) warnings.push(`The plan starts at ${first.toFixed(1)} s: the mashup starts there.`);
  const starts: number[] = [];
  let end = 0;
  ordered.forEach((section, i) => {
    const before = starts.at(-1) ?? 0;
    const planned = section.time_start_sec === undefined ? end : section.time_start_sec - first;
    const start = i === 0 ? 0 : planned > before + beat / 2 ? planned : end;
    const gap = start - end;
    if (i > 0 && Math.abs(gap) > beat / 2) {
      const effect = gap > 0 ? 'is extended to' : 'is cut at';
      warnings.push(
        `Section ${i + 1} starts at ${start.toFixed(1)} s in the plan: the section before ${effect} that time.`,
      );
    }
    starts.push(start);
    end = start + section.duration_sec;
  });
  return { starts, total: end, warnings };
}

/** The sections with their starts rounded to beats of the section before; the last one ends at `total`. */
function roundToBeats(
  ordered: readonly LooseSection[],
  bpm: number,
  starts: readonly number[],
  total: number,
): RenderSection[] {
  const maxEnergy = Math.max(1, ...ordered.map((section) => section.energy_level));
  let clock = 0;
  return ordered.map((section, i) => {
    const tempo = section.tempo_bpm ?? bpm;
    const beat = 60 / tempo;
    const start = clock;
    const next = starts[i + 1];
    const end =
      next === undefined ? total : Math.min(total, start + Math.max(0, Math.round((next - start) / beat) * beat));
    clock = end;
    return {
      start,
      end,
      bpm: tempo,
      description: section.description,
      // Some planners count to 10.
      energy: Math.max(0, section.energy_level / (maxEnergy > 1 ? 10 : 1)),
      layers: section.layers.map((layer) => ({
        songId: layer.songId,
        stem: layer.stem,
        volumeDb: Math.min(MAX_DB, Math.max(MIN_DB, layer.volume_db)),
        effects: layer.effects,
        sourceStartSec: layer.source_start_sec,
        free: layer.timing === 'free',
      })),
    };
  });
}

/** Tempo of the first song that has one. */
function firstTempo(request: Pick<RenderRequest, 'songs'>): number | undefined {
  const Tempo = z.object({ rhythmic: z.object({ bpm: z.number().min(40).max(240) }) });
  for (const song of request.songs) {
    const tempo = Tempo.safeParse(song.analysis);
    if (tempo.success) return tempo.data.rhythmic.bpm;
  }
  return undefined;
}
