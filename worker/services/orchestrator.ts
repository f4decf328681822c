/**
 * Client of the planning service, `POST /create-masterplan`. The body has the contract's members for two songs, and the whole
 * brief for services that read it.
 */
import { z } from 'zod';
import { SERVICE_DEFAULTS, STEMS } from '../../schema.ts';
import type { AnalyzedSong, PairScore, PlanRequest } from '../../schema.ts';
import { cleanText } from '../../music/plan/text.ts';
import { TaskError } from '../errors.ts';
import { redact } from '../redact.ts';
import { faultOfResponse } from './faults.ts';
import { readJson, withResponse } from './http.ts';
import { asNumber, asObject, asStorable, clamp } from './read.ts';
import { parseEvent, readEvents } from './sse.ts';

/** Longest progress message that is shown. */
const MAX_MESSAGE_LENGTH = 160;
/** Kinds of tokens that are stored of an answer. */
const MAX_COUNTS = 8;
/** Upper limit for the reported cost of one answer, in US dollars. */
const MAX_COST_USD = 1_000;

export type PlanBrief = NonNullable<PlanRequest['mashup']>;

/** Error codes of paid answers without a plan. */
const PAID_FAILURES: ReadonlySet<string> = new Set(['claude_refused', 'claude_cut_off', 'claude_unparsable']);

/** Error codes of calls that may have been paid although no answer arrived. They are not repeated. */
export const MAYBE_PAID: ReadonlySet<string> = new Set([
  'service_timeout',
  'service_connection_lost',
  'claude_stream_broken',
]);

/** A paid answer without a plan, as stored in a receipt. */
const PaidFailure = z.object({ paid_failure: z.string(), detail: z.string().catch('') });

export interface PlanCallOptions {
  signal: AbortSignal;
  timeoutMs: number;
  token?: string;
  /** Receives progress messages, if the service sends any. */
  onMessage: (message: string) => void;
}

/**
 * Requests a plan. The request accepts an event stream or JSON; the existing services send JSON. The answer is untrusted and
 * returned as received, so that it can be stored. A paid answer without a plan is returned too (see `readPaidFailure`).
 * @throws TaskError for every other response
 */
export async function callPlan(baseUrl: string, request: PlanRequest, options: PlanCallOptions): Promise<unknown> {
  const { signal, timeoutMs, token, onMessage } = options;
  const call = {
    service: 'orchestrator' as const,
    baseUrl,
    path: SERVICE_DEFAULTS.orchestrator.path,
    accept: 'text/event-stream, application/json',
    body: request,
    signal,
    timeoutMs,
    token,
  };
  try {
    const answer = await withResponse(call, (response) =>
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

/** Returns the terminal event of a stream. Passes messages on. */
async function readStream(chunks: AsyncIterable<Uint8Array>, onMessage: (message: string) => void): Promise<unknown> {
  for await (const data of readEvents(chunks)) {
    const event = parseEvent(data);
    if (typeof event['error'] === 'string') throw eventFault(event['error'], event);
    if ('masterplan' in event) return event;
    const message = cleanText(event['message'], MAX_MESSAGE_LENGTH);
    if (message !== '') onMessage(redact(message, MAX_MESSAGE_LENGTH));
  }
  throw new TaskError('The planning service ended the stream before the plan was finished.', {
    code: 'service_connection_lost',
    hint: 'The plan is made by rules instead. If this lasts, check the log of the service.',
    faultClass: 'unavailable',
    spendsAttempt: 'if_answering',
  });
}

function eventFault(text: string, event: Record<string, unknown>): TaskError {
  const { retry_after_sec: wait, status, ...rest } = event;
  return faultOfResponse({
    service: 'orchestrator',
    status: asNumber(status, 500),
    retryAfter: typeof wait === 'number' ? String(Math.ceil(wait)) : undefined,
    body: JSON.stringify({ ...rest, detail: text }),
  });
}

/** Returns why a paid answer has no plan; undefined for any other answer. */
export function readPaidFailure(answer: unknown): { code: string; detail: string } | undefined {
  const read = PaidFailure.safeParse(answer).data;
  return read && { code: read.paid_failure, detail: read.detail };
}

/**
 * Builds the request of a brief. The contract has two songs and their score as free-form objects; a third song, wishes,
 * feedback and faults go into the preferences.
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
      ...(brief.roles ? { roles: brief.roles } : {}),
      ...(brief.previous ? { previous_plan: brief.previous } : {}),
      ...(brief.feedback ? { feedback: brief.feedback } : {}),
      ...(brief.faults.length > 0 ? { faults_of_your_last_plan: brief.faults } : {}),
    },
    mashup: brief,
  };
}

/** Describes a song without matrices, short enough for a prompt. */
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

/** Metadata of an answer. */
export interface PlanFacts {
  source: 'claude' | 'rules';
  model?: string;
  tokens: Record<string, number> | null;
  costUsd: number | null;
  changes?: string;
  /** Wishes that the planner reports as not fulfilled, and parts of the text that it did not understand. */
  cannot?: string[];
  notUnderstood?: string[];
  warning?: string;
}

/** Reads the source and the cost of a plan. An answer without a source may have been paid for, and counts as Claude's. */
export function readPlanFacts(answer: unknown): PlanFacts {
  const { source, model, usage, changes, cannot, not_understood, warning } = asObject(answer);
  const { cost_usd: cost, ...counts } = asObject(usage);
  const tokens = Object.entries(counts)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .slice(0, MAX_COUNTS);
  const costUsd = asNumber(cost, NaN);
  const text = Array.isArray(changes) ? changes.filter((change) => typeof change === 'string').join('\n') : changes;
  return {
    source: source === 'rules' ? 'rules' : 'claude',
    model: typeof model === 'string' ? model.slice(0, 100) : undefined,
    tokens: tokens.length > 0 ? Object.fromEntries(tokens) : null,
    costUsd: Number.isNaN(costUsd) ? null : clamp(costUsd, 0, MAX_COST_USD),
    changes: typeof text === 'string' && text !== '' ? text : undefined,
    cannot: readTexts(cannot),
    notUnderstood: readTexts(not_understood),
    warning: typeof warning === 'string' && warning !== '' ? warning : undefined,
  };
}

const readTexts = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : undefined;
