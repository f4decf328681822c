/** Settings of the orchestrator, from environment variables. */
import { z } from 'zod';
import { emptyIsUnset } from '../http/environment.ts';

/** Used unless MASHUP_CLAUDE_MODEL is set. */
const DEFAULT_MODEL = 'claude-opus-5-5';

/** Environment variables of the orchestrator. */
export const OrchestratorEnvironment = z.object({
  ANTHROPIC_API_KEY: z
    .preprocess(emptyIsUnset, z.string().optional())
    .describe('Key of the Anthropic API. Without it, the rule-based producer plans.'),
  ANTHROPIC_BASE_URL: z
    .preprocess(emptyIsUnset, z.url().optional())
    .describe("URL of a proxy or gateway in place of Anthropic's API."),
  MASHUP_CLAUDE_MODEL: z
    .preprocess(
      emptyIsUnset,
      z
        .string()
        .regex(/^[\w.:@-]+$/)
        .default(DEFAULT_MODEL),
    )
    .describe('The model.'),
  MASHUP_CLAUDE_MAX_TOKENS: z
    .preprocess(emptyIsUnset, z.coerce.number().int().min(2_000).max(128_000).default(32_000))
    .describe('Output tokens of a call, thinking included. A plan alone takes 3,000 to 6,000.'),
  MASHUP_CLAUDE_EFFORT: z
    .preprocess(emptyIsUnset, z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional())
    .describe('Effort of the model. Sent only if it is set: not every model accepts it.'),
  MASHUP_CLAUDE_TIMEOUT_SEC: z
    .preprocess(emptyIsUnset, z.coerce.number().positive().default(180))
    .describe('Limit for a whole call. The setting `plan_call_timeout_sec` of the database must be higher.'),
});

/** Settings of the calls to Claude. */
export type ClaudeSettings = {
  apiKey: string;
  baseUrl: string | undefined;
  model: string;
  maxTokens: number;
  effort: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | undefined;
  timeoutMs: number;
};

/**
 * Reads the settings.
 * @returns null if there is no API key
 * @throws Error that names each invalid variable, without its value
 */
export function readSettings(environment: NodeJS.ProcessEnv): ClaudeSettings | null {
  const parsed = OrchestratorEnvironment.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`Invalid settings: ${faults.join('; ')}`);
  }
  const read = parsed.data;
  if (read.ANTHROPIC_API_KEY === undefined) return null;
  return {
    apiKey: read.ANTHROPIC_API_KEY,
    baseUrl: read.ANTHROPIC_BASE_URL,
    model: read.MASHUP_CLAUDE_MODEL,
    maxTokens: read.MASHUP_CLAUDE_MAX_TOKENS,
    effort: read.MASHUP_CLAUDE_EFFORT,
    timeoutMs: Math.ceil(read.MASHUP_CLAUDE_TIMEOUT_SEC * 1_000),
  };
}
