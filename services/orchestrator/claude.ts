/** Requests a plan from Claude: one streamed call without retries, with a response bound by a JSON schema. */
import Anthropic from '@anthropic-ai/sdk';
import { PlanResponse } from '../../schema.ts';
import { ServiceError } from '../http/errors.ts';
import { allowedStems } from '../../music/plan/limits.ts';
import { cleanText } from '../../music/plan/text.ts';
import { claudeError } from './claude-errors.ts';
import { withCost, type Usage } from './cost.ts';
import { planFormat } from './plan-format.ts';
import { PlanProgress } from './progress.ts';
import { buildPrompt, hasWishes, isRevision, type Brief } from './prompt.ts';
import type { ClaudeSettings } from './settings.ts';

/** Number of change descriptions, and of quotes, that are returned. */
const MAX_TEXTS = 20;

type ClaudePlan = PlanResponse & { prompt_version: string };

/**
 * Requests a plan and returns it unchecked. Never retries: the caller decides whether to pay again.
 * @param onProgress receives messages about the part of the plan that the model is writing
 * @throws ServiceError with a code `claude_*`; if tokens were spent, its body has `usage` and `model`
 */
export async function askClaude(
  brief: Brief,
  settings: ClaudeSettings,
  signal: AbortSignal,
  onProgress: (message: string) => void,
): Promise<ClaudePlan> {
  const prompt = buildPrompt(brief);
  const client = new Anthropic({
    apiKey: settings.apiKey,
    // By default the library would also read a token from the environment.
    authToken: null,
    // By default the library prints responses that it cannot parse.
    logLevel: 'off',
    baseURL: settings.baseUrl ?? null,
    maxRetries: 0,
    timeout: settings.timeoutMs,
  });
  // The library's own timeout ends with the headers. This one covers the stream.
  const limit = AbortSignal.timeout(settings.timeoutMs);
  const progress = new PlanProgress();
  try {
    const stream = client.messages.stream(
      {
        model: settings.model,
        max_tokens: settings.maxTokens,
        system: prompt.system,
        messages: [{ role: 'user', content: prompt.user }],
        output_config: {
          format: {
            type: 'json_schema',
            schema: planFormat(
              brief.songs.map((song) => song.song_id),
              allowedStems(brief.limits),
              { isRevision: isRevision(brief), hasWishes: hasWishes(brief) },
            ),
          },
          ...(settings.effort === undefined ? {} : { effort: settings.effort }),
        },
      },
      { signal: AbortSignal.any([signal, limit]) },
    );
    onProgress('Claude reads the analysis');
    stream.on('text', (piece) => {
      const message = progress.add(piece);
      if (message !== undefined) onProgress(message);
    });
    return readMessage(await stream.finalMessage(), prompt.version);
  } catch (error) {
    throw claudeError(error, limit.aborted && !signal.aborted);
  }
}

/** Reads the plan from the model's message. */
function readMessage(message: Anthropic.Message, promptVersion: string): ClaudePlan {
  const { usage: counted, model, stop_reason } = message;
  const input =
    counted.input_tokens + (counted.cache_creation_input_tokens ?? 0) + (counted.cache_read_input_tokens ?? 0);
  const usage: Usage = withCost(model, { input, output: counted.output_tokens });
  const failure = (text: string, code: string, hint: string): ServiceError =>
    new ServiceError(text, { status: 422, code, hint, extra: { usage, model } });
  if (stop_reason === 'refusal')
    throw failure(
      'Claude declined to make this mashup',
      'claude_refused',
      'Change the wishes or the names of the songs, or plan by rules.',
    );
  if (stop_reason === 'max_tokens' || stop_reason === 'model_context_window_exceeded')
    throw failure("Claude's response was cut off", 'claude_cut_off', 'Raise MASHUP_CLAUDE_MAX_TOKENS.');
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const plan = PlanResponse.safeParse(parseObject(text));
  if (!plan.success)
    throw failure("Claude's response is not a plan", 'claude_unparsable', 'Ask again, or plan by rules.');
  const { creative_vision, masterplan, changes, not_understood } = plan.data;
  const cleaned = (texts: readonly string[]): string[] => texts.slice(0, MAX_TEXTS).map((text) => cleanText(text, 300));
  return {
    creative_vision,
    masterplan,
    source: 'claude',
    model,
    usage,
    prompt_version: promptVersion,
    ...(Array.isArray(changes) ? { changes: cleaned(changes) } : {}),
    ...(not_understood === undefined ? {} : { not_understood: cleaned(not_understood) }),
  };
}

/** Parses the object in a text, without code fences and words around it; undefined if there is none. */
function parseObject(text: string): unknown {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from < 0 || to < from) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}
