/** Cost of a call by Anthropic's list prices of November 2026. */

/** US dollars per million tokens of input and output. The cost of other models is unknown. */
const PRICES: Record<string, { input: number; output: number }> = {
  'claude-fable-5-1': { input: 10, output: 50 },
  'claude-opus-5-5': { input: 4, output: 20 },
  'claude-opus-5': { input: 5, output: 25 },
  'claude-sonnet-5-5': { input: 2, output: 10 },
  'claude-sonnet-5': { input: 2, output: 10 },
  'claude-haiku-4-5': { input: 1, output: 5 },
};

/** Tokens and cost of a call. */
export type Usage = { input_tokens: number; output_tokens: number; cost_usd?: number };

/** Adds the cost to token counts. Dated snapshots (`claude-haiku-4-5-20251001`) cost the same as their model. */
export function withCost(model: string, tokens: { input: number; output: number }): Usage {
  const price = PRICES[model.replace(/-\d{8}$/, '')];
  const usage = { input_tokens: tokens.input, output_tokens: tokens.output };
  if (!price) return usage;
  const cost = (tokens.input * price.input + tokens.output * price.output) / 1e6;
  return { ...usage, cost_usd: Math.round(cost * 1e6) / 1e6 };
}
