/** The masterplan as it came, checked and put on the beat grid of the mashup. */
import { z } from 'zod';
import { LayerTiming, type RenderRequest, Stem } from '../../../schema.ts';
import { RenderError } from '../errors.ts';

/** Same bounds as the plan's schema; a level outside is taken to the nearest. */
const MIN_DB = -60;
const MAX_DB = 12;
/** What the contract's renderer takes where a section names no duration. */
const DEFAULT_SECTION_SEC = 10;
/** Longest mashup that is rendered; memory grows with it. */
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
const LooseSettings = z.looseObject({
  targetBPM: z.number().min(40).max(240).optional().catch(undefined),
  targetKey: z.string().optional().catch(undefined),
  timeSignature: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional().catch(undefined),
});

export type RenderLayer = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: string[];
  sourceStartSec: number | undefined;
  /** Plays at the song's own speed, beside any beat. */
  free: boolean;
};

export type RenderSection = {
  /** Position in the mashup in seconds; the first starts at 0 and each starts where the one before ends. */
  start: number;
  end: number;
  bpm: number;
  description: string;
  /** 0..1 */
  energy: number;
  layers: RenderLayer[];
};

export type RenderPlan = {
  /** Of the mashup as a whole; sections may have their own. */
  bpm: number;
  /** `N/A` where the plan names none: songs then keep their keys. */
  key: string;
  beatsPerBar: number;
  durationSec: number;
  sections: RenderSection[];
};

function invalid(message: string, cause?: unknown): RenderError {
  return new RenderError('plan_invalid', message, 'Correct the plan and render again.', cause);
}

/**
 * Reads the plan of a request. Sections start where the plan says, on the nearest beat of the section before; each lasts until
 * the next starts, and the last as long as it says. Where that leaves a section shorter or longer than its own duration, a
 * warning tells. The first starts at 0.
 * @throws RenderError plan_empty, plan_section_empty, plan_invalid, plan_unknown_song
 */
export function readPlan(request: RenderRequest): { plan: RenderPlan; warnings: string[] } {
  const { timeline, global_settings } = request.masterplan;
  if (timeline.length === 0) {
    throw new RenderError('plan_empty', 'The plan has no sections', 'Plan again: a mashup needs at least one section.');
  }
  const parsed = z.array(LooseSection).safeParse(timeline);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw invalid(`The plan's timeline.${issue.path.join('.')} cannot be used: ${issue.message}`, parsed.error);
  }
  const known = new Set(request.songs.map((song) => song.song_id));
  parsed.data.forEach((section, i) => {
    const named = section.description ? `Section ${i + 1} ("${section.description}")` : `Section ${i + 1}`;
    if (section.layers.length === 0) {
      throw new RenderError('plan_section_empty', `${named} has no layers`, 'Give it a layer or leave it out.');
    }
    const stranger = section.layers.find((layer) => !known.has(layer.songId));
    if (stranger) {
      throw new RenderError(
        'plan_unknown_song',
        `${named} uses the song "${stranger.songId}", which was not sent`,
        'Use the song_id of a song in songs[].',
      );
    }
  });

  const settings = LooseSettings.parse(global_settings);
  const bpm = settings.targetBPM ?? firstTempo(request) ?? DEFAULT_BPM;
  const ordered = parsed.data
    .map((section, i) => ({ section, i }))
    .sort((a, b) => (a.section.time_start_sec ?? a.i) - (b.section.time_start_sec ?? b.i) || a.i - b.i)
    .map(({ section }) => section);
  const { starts, total, warnings } = placeSections(ordered, 60 / bpm);
  if (total > MAX_MASHUP_SEC)
    throw invalid(`The plan is ${Math.round(total)} s long; the limit is ${MAX_MASHUP_SEC} s`);

  const maxEnergy = Math.max(1, ...ordered.map((section) => section.energy_level));
  let clock = 0;
  const sections = ordered.map((section, i): RenderSection => {
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
  const plan = {
    bpm,
    key: settings.targetKey ?? 'N/A',
    beatsPerBar: settings.timeSignature?.[0] ?? 4,
    durationSec: total,
    sections: sections.filter((section) => section.end > section.start),
  };
  return { plan, warnings };
}

/**
 * Seconds at which sections start: as planned, counted from the first, and after the section before. A start that is missing or
 * not later than the one before is where the section before ends.
 */
function placeSections(
  ordered: readonly z.infer<typeof LooseSection>[],
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
      const effect = gap > 0 ? 'goes on until it starts' : 'ends when it starts';
      warnings.push(`Section ${i + 1} starts at ${start.toFixed(1)} s by the plan: the section before ${effect}.`);
    }
    starts.push(start);
    end = start + section.duration_sec;
  });
  return { starts, total: end, warnings };
}

/** Tempo of the first song that has one. */
function firstTempo(request: RenderRequest): number | undefined {
  const Tempo = z.object({ rhythmic: z.object({ bpm: z.number().min(40).max(240) }) });
  for (const song of request.songs) {
    const tempo = Tempo.safeParse(song.analysis);
    if (tempo.success) return tempo.data.rhythmic.bpm;
  }
  return undefined;
}
