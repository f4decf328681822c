/** `POST /create-masterplan`: the contract's pairwise body, with the whole brief for services that read it. */
import { z } from 'zod';
import { SERVICE_DEFAULTS, STEMS } from '../../schema.ts';
import type { AnalyzedSong, PairScore, PlanRequest } from '../../schema.ts';
import { cleanText } from '../../music/plan/text.ts';
import { TaskError } from '../errors.ts';
import { redact } from '../redact.ts';
import { faultOfAnswer } from './faults.ts';
import { readJson, withAnswer } from './http.ts';
import { asNumber, asObject, asStorable, clamp } from './read.ts';
import { parseEvent, readEvents } from './sse.ts';

/** Longest message of a planner at work that is shown. */
const MAX_MESSAGE_LENGTH = 160;
/** Kinds of tokens that are kept of an answer. */
const MAX_COUNTS = 8;
/** Most that one answer can claim to have cost, in US dollars. */
const MAX_COST_USD = 1_000;

export type PlanBrief = NonNullable<PlanRequest['mashup']>;

/** Answers that were paid for although they hold no plan. */
const PAID_FAILURES: ReadonlySet<string> = new Set(['claude_refused', 'claude_cut_off', 'claude_unparsable']);

/** What a paid answer without a plan says of itself. */
const PaidFailure = z.object({ paid_failure: z.string(), detail: z.string().catch('') });

export interface PlanCallOptions {
  signal: AbortSignal;
  timeoutMs: number;
  /** Told what the planner is working on, where the service says so. */
  onMessage: (message: string) => void;
}

/**
 * Sends a brief. An event stream is asked for and either kind of answer read: existing services answer with JSON. The
 * answer is untrusted and is not read here, so that it can be kept as it came; an answer that was paid for and holds no
 * plan comes back as well (see `readPaidFailure`).
 * @throws TaskError for everything that holds nothing worth keeping
 */
export async function callPlan(baseUrl: string, request: PlanRequest, options: PlanCallOptions): Promise<unknown> {
  const { signal, timeoutMs, onMessage } = options;
  const call = {
    service: 'orchestrator' as const,
    baseUrl,
    path: SERVICE_DEFAULTS.orchestrator.path,
    accept: 'text/event-stream, application/json',
    body: request,
    signal,
    timeoutMs,
  };
  try {
    const answer = await withAnswer(call, (response) =>
      /^text\/event-stream/i.test(response.headers['content-type'] ?? '')
        ? readStream(response, onMessage)
        : readJson('orchestrator', response),
    );
    return asStorable(answer);
  } catch (error) {
    if (!(error instanceof TaskError) || !PAID_FAILURES.has(error.code)) throw error;
    const { usage, model } = error.body ?? {};
    return asStorable({ paid_failure: error.code, detail: error.message, usage, model, source: 'claude' });
  }
}

/** The terminal event of a stream; messages are passed on. */
async function readStream(answer: AsyncIterable<Uint8Array>, onMessage: (message: string) => void): Promise<unknown> {
  for await (const data of readEvents(answer)) {
    const event = parseEvent(data);
    if (typeof event['error'] === 'string') throw eventFault(event['error'], event);
    if ('masterplan' in event) return event;
    const message = cleanText(event['message'], MAX_MESSAGE_LENGTH);
    if (message !== '') onMessage(redact(message, MAX_MESSAGE_LENGTH));
  }
  throw new TaskError('The planning service stopped before the plan was finished.', {
    code: 'service_connection_lost',
    hint: 'The plan is made by rules instead. If this lasts, look at the log of the service.',
    faultClass: 'unavailable',
  });
}

function eventFault(text: string, event: Record<string, unknown>): TaskError {
  const { retry_after_sec: wait, status, ...rest } = event;
  return faultOfAnswer({
    service: 'orchestrator',
    status: asNumber(status, 500),
    retryAfter: typeof wait === 'number' ? String(Math.ceil(wait)) : undefined,
    body: JSON.stringify({ ...rest, detail: text }),
  });
}

/** Why a paid answer holds no plan; undefined for any other answer. */
export function readPaidFailure(answer: unknown): { code: string; detail: string } | undefined {
  const read = PaidFailure.safeParse(answer).data;
  return read && { code: read.paid_failure, detail: read.detail };
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
  const tokens = Object.entries(counts)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .slice(0, MAX_COUNTS);
  const costUsd = asNumber(cost, NaN);
  const said = Array.isArray(changes) ? changes.filter((change) => typeof change === 'string').join(' ') : changes;
  return {
    source: source === 'rules' ? 'rules' : 'claude',
    model: typeof model === 'string' ? model.slice(0, 100) : undefined,
    tokens: tokens.length > 0 ? Object.fromEntries(tokens) : null,
    costUsd: Number.isNaN(costUsd) ? null : clamp(costUsd, 0, MAX_COST_USD),
    changes: typeof said === 'string' && said !== '' ? said : undefined,
    warning: typeof warning === 'string' && warning !== '' ? warning : undefined,
  };
}
