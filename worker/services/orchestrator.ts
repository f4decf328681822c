/** `POST /create-masterplan`: the contract's pairwise body, with the whole brief for services that read it. */
import { SERVICE_DEFAULTS, STEMS } from '../../schema.ts';
import type { AnalyzedSong, PairScore, PlanRequest } from '../../schema.ts';
import { callJson } from './http.ts';
import { asNumber, asObject } from './read.ts';

export type PlanBrief = NonNullable<PlanRequest['mashup']>;

/** Sends a brief; the answer is untrusted and is not read here, so that it can be kept as it came. */
export async function callPlan(
  baseUrl: string,
  request: PlanRequest,
  options: { signal: AbortSignal; timeoutMs: number },
): Promise<unknown> {
  return callJson({
    service: 'orchestrator',
    baseUrl,
    path: SERVICE_DEFAULTS.orchestrator.path,
    body: request,
    ...options,
  });
}

/**
 * The contract's members around a brief: two songs and their score as free-form objects with ids, names, lengths and the
 * allowed stems; a third song, wishes, feedback and faults go into the preferences.
 */
export function planRequest(brief: PlanBrief): PlanRequest {
  const [first, second, third] = brief.songs;
  const pair = brief.scores[0];
  return {
    song1_analysis: describe(first),
    song2_analysis: describe(second),
    mashability_score: {
      ...(pair ? describePair(pair) : {}),
      pairs: brief.scores.map(({ song_pair, score }) => ({ song_pair, score })),
    },
    user_preferences: {
      ...(third ? { additional_songs: [describe(third)] } : {}),
      allowed_stems: brief.limits.stems,
      length_sec: brief.length_sec ?? { min: brief.limits.min_length_sec, max: brief.limits.max_length_sec },
      ...(brief.wishes ? { wishes: brief.wishes } : {}),
      ...(brief.previous ? { previous_plan: brief.previous } : {}),
      ...(brief.feedback ? { feedback: brief.feedback } : {}),
      ...(brief.faults.length > 0 ? { faults_of_your_last_plan: brief.faults } : {}),
    },
    mashup: brief,
  };
}

/** A song as a prompt can bear it: no matrices. */
function describe(song: AnalyzedSong | undefined): Record<string, unknown> {
  if (!song) return {};
  const { harmonic, rhythmic, spectral, vocal, energy, duration_sec } = song.analysis;
  return {
    song_id: song.song_id,
    name: song.name,
    artist: song.artist,
    duration_sec,
    stems: STEMS,
    harmonic: {
      key: harmonic.key,
      key_confidence: harmonic.key_confidence,
      chord_progression: harmonic.chord_progression,
      chord_complexity: harmonic.chord_complexity,
    },
    rhythmic: {
      bpm: rhythmic.bpm,
      beat_confidence: rhythmic.beat_confidence,
      groove_stability: rhythmic.groove_stability,
      swing_factor: rhythmic.swing_factor,
    },
    spectral: { dynamic_range: spectral.dynamic_range, brightness: spectral.brightness },
    vocal: { vocal_presence: vocal.vocal_presence },
    ...(energy ? { energy: energy.mean } : {}),
    ...(song.analysis.sections ? { sections: song.analysis.sections } : {}),
  };
}

function describePair(pair: PairScore): Record<string, unknown> {
  return {
    song_pair: pair.song_pair,
    score: pair.score,
    overall_score: pair.score,
    compatibility_factors: pair.compatibility_breakdown,
  };
}

/** What an answer says of itself; all of it optional. */
export interface PlanFacts {
  source: 'claude' | 'rules';
  model?: string;
  tokens: Record<string, number> | null;
  costUsd: number | null;
  changes?: string;
  warning?: string;
}

/** Reads who made a plan and what it cost. An answer that does not say may have been paid for: it counts as Claude's. */
export function readPlanFacts(answer: unknown): PlanFacts {
  const { source, model, usage, changes, warning } = asObject(answer);
  const { cost_usd: cost, ...counts } = asObject(usage);
  const tokens = Object.entries(counts).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const costUsd = asNumber(cost, NaN);
  const said = Array.isArray(changes) ? changes.filter((change) => typeof change === 'string').join(' ') : changes;
  return {
    source: source === 'rules' ? 'rules' : 'claude',
    model: typeof model === 'string' ? model.slice(0, 100) : undefined,
    tokens: tokens.length > 0 ? Object.fromEntries(tokens) : null,
    costUsd: Number.isNaN(costUsd) ? null : costUsd,
    changes: typeof said === 'string' && said !== '' ? said : undefined,
    warning: typeof warning === 'string' && warning !== '' ? warning : undefined,
  };
}
