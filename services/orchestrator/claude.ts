/** Asking Claude for a plan: one streamed call, no retry of its own, an answer bound by the schema. */
import Anthropic from '@anthropic-ai/sdk';
import { PlanResponse } from '../../schema.ts';
import { ServiceError } from '../http/errors.ts';
import { allowedStems } from '../../music/plan/limits.ts';
import { cleanText } from '../../music/plan/text.ts';
import { claudeError } from './claude-errors.ts';
import { withCost, type Usage } from './cost.ts';
import { planFormat } from './plan-format.ts';
import { PlanProgress } from './progress.ts';
import { buildPrompt, isRevision, type Brief } from './prompt.ts';
import type { ClaudeSettings } from './settings.ts';

/** Sentences about what changed that are passed on. */
const MAX_CHANGES = 20;

type ClaudeAnswer = PlanResponse & { prompt_version: string };

/**
 * Asks for a plan and returns what the model wrote, unjudged. Never repeats a call: whoever asks decides whether to pay
 * again.
 * @param onProgress told what the model is working on
 * @throws ServiceError with a code that begins `claude_`; where tokens were spent, `usage` and `model` are in its body
 */
export async function askClaude(
  brief: Brief,
  settings: ClaudeSettings,
  signal: AbortSignal,
  onProgress: (message: string) => void,
): Promise<ClaudeAnswer> {
  const prompt = buildPrompt(brief);
  const client = new Anthropic({
    apiKey: settings.apiKey,
    // Only what the settings say: the library would also take a token from the environment.
    authToken: null,
    // It would print what it cannot parse.
    logLevel: 'off',
    baseURL: settings.baseUrl ?? null,
    maxRetries: 0,
    timeout: settings.timeoutMs,
  });
  // The library's own limit ends with the headers; this one covers the stream.
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
              isRevision(brief),
            ),
          },
          ...(settings.effort === undefined ? {} : { effort: settings.effort }),
        },
      },
      { signal: AbortSignal.any([signal, limit]) },
    );
    onProgress('Claude listens to the analysis');
    stream.on('text', (piece) => {
      const message = progress.add(piece);
      if (message !== undefined) onProgress(message);
    });
    return readAnswer(await stream.finalMessage(), prompt.version);
  } catch (error) {
    throw claudeError(error, limit.aborted && !signal.aborted);
  }
}

function readAnswer(message: Anthropic.Message, promptVersion: string): ClaudeAnswer {
  const { usage: counted, model, stop_reason } = message;
  const input =
    counted.input_tokens + (counted.cache_creation_input_tokens ?? 0) + (counted.cache_read_input_tokens ?? 0);
  const usage: Usage = withCost(model, { input, output: counted.output_tokens });
  const fail = (text: string, code: string, hint: string): never => {
    throw new ServiceError(text, { status: 422, code, hint, extra: { usage, model } });
  };
  if (stop_reason === 'refusal')
    return fail(
      'Claude declined to make this mashup',
      'claude_refused',
      'Change the wishes or the names of the songs, or plan by rules.',
    );
  if (stop_reason === 'max_tokens' || stop_reason === 'model_context_window_exceeded')
    return fail("Claude's answer was cut off", 'claude_cut_off', 'Raise MASHUP_CLAUDE_MAX_TOKENS.');
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const answer = PlanResponse.safeParse(parseObject(text));
  if (!answer.success) return fail("Claude's answer is no plan", 'claude_unparsable', 'Ask again, or plan by rules.');
  const { creative_vision, masterplan, changes } = answer.data;
  const said = Array.isArray(changes)
    ? changes.slice(0, MAX_CHANGES).map((change) => cleanText(change, 300))
    : undefined;
  return {
    creative_vision,
    masterplan,
    source: 'claude',
    model,
    usage,
    prompt_version: promptVersion,
    ...(said === undefined ? {} : { changes: said }),
  };
}

/** The object in a text; fences and words around it are left out. */
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
