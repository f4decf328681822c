/**
 * The effects of a layer, and their grammar: `name` or `name(key=value,…)` with numeric values.
 *
 * The table EFFECTS is the only place that defines names, parameters and ranges. The prompt lists it, the plan checks use
 * it, and the renderer gets its parameters from `parseEffect`.
 */

type Parameter = { default: number; min: number; max: number; unit: string };
type EffectDefinition = { description: string; parameters: Record<string, Parameter> };

const p = (value: number, min: number, max: number, unit: string): Parameter => ({ default: value, min, max, unit });

/** All effects with their parameters. `p(default, min, max, unit)`. */
export const EFFECTS = {
  lowpass: { description: 'takes the highs away', parameters: { freq: p(800, 40, 18_000, 'Hz') } },
  highpass: { description: 'takes the lows away', parameters: { freq: p(300, 20, 8_000, 'Hz') } },
  bandpass: {
    description: 'leaves one band, as a telephone does',
    parameters: { freq: p(1_200, 80, 8_000, 'Hz'), q: p(0.9, 0.3, 8, '') },
  },
  lowpass_sweep: {
    description: 'a low-pass that opens or closes over the section',
    parameters: { from: p(300, 40, 18_000, 'Hz'), to: p(18_000, 40, 18_000, 'Hz') },
  },
  highpass_sweep: {
    description: 'a high-pass that rises or falls over the section',
    parameters: { from: p(30, 20, 8_000, 'Hz'), to: p(1_500, 20, 8_000, 'Hz') },
  },
  eq: {
    description: 'three bands up or down',
    parameters: { low: p(0, -24, 9, 'dB'), mid: p(0, -24, 9, 'dB'), high: p(0, -24, 9, 'dB') },
  },
  reverb: {
    description: 'a room around the layer',
    parameters: { mix: p(0.25, 0, 1, ''), decay: p(1.8, 0.2, 8, 's') },
  },
  delay: {
    description: 'echoes in time with the beat',
    parameters: { beats: p(0.75, 0.125, 4, 'beats'), feedback: p(0.35, 0, 0.85, ''), mix: p(0.3, 0, 1, '') },
  },
  pingpong: {
    description: 'echoes that go from side to side',
    parameters: { beats: p(0.5, 0.125, 4, 'beats'), feedback: p(0.35, 0, 0.85, ''), mix: p(0.3, 0, 1, '') },
  },
  echo_out: {
    description: 'the layer leaves in its last bars while its echoes ring on',
    parameters: { bars: p(1, 0.25, 4, 'bars'), beats: p(0.5, 0.125, 4, 'beats'), feedback: p(0.6, 0, 0.85, '') },
  },
  width: { description: 'stereo width: 0 mono, 1 as it is, 2 wide', parameters: { amount: p(1.4, 0, 2, '') } },
  sidechain: {
    description: 'ducks on each beat, as under a kick drum',
    parameters: { depth: p(8, 0, 24, 'dB'), beats: p(1, 0.25, 4, 'beats') },
  },
  gate: {
    description: 'chops the layer in time with the beat',
    parameters: { beats: p(0.25, 0.125, 2, 'beats'), open: p(0.55, 0.05, 0.95, ''), depth: p(1, 0, 1, '') },
  },
  reverse: { description: 'plays the last bars backwards; 0 bars is all', parameters: { bars: p(0, 0, 16, 'bars') } },
  stutter: {
    description: 'repeats a slice through the last bars',
    parameters: { beats: p(0.25, 0.0625, 2, 'beats'), bars: p(1, 0.25, 4, 'bars') },
  },
  fade_in: {
    description: 'comes in from nothing; 0 bars is all of the section',
    parameters: { bars: p(0, 0, 16, 'bars') },
  },
  fade_out: {
    description: 'goes out to nothing; 0 bars is all of the section',
    parameters: { bars: p(0, 0, 16, 'bars') },
  },
  riser: {
    description: 'filtered noise that rises to the end of the section',
    parameters: { bars: p(4, 1, 16, 'bars'), level: p(-18, -48, -6, 'dB') },
  },
} as const satisfies Record<string, EffectDefinition>;

/** Names of the effects. */
export type EffectName = keyof typeof EFFECTS;
/** An effect with all its parameters. */
export type Effect = { name: EffectName; params: Record<string, number> };

/** Longer effect texts are not parsed. */
const MAX_EFFECT_LENGTH = 120;

function isEffectName(name: string): name is EffectName {
  return Object.hasOwn(EFFECTS, name);
}

function parametersOf(name: EffectName): Record<string, Parameter> {
  return EFFECTS[name].parameters;
}

/**
 * Parses an effect in the grammar. Missing parameters get their defaults.
 * @returns null if the name or a parameter is unknown, or a value is not a number or out of range
 */
export function parseEffect(text: string): Effect | null {
  if (text.length > MAX_EFFECT_LENGTH) return null;
  const match = /^\s*([a-z_]+)\s*(?:\(([^()]*)\))?\s*$/.exec(text);
  const name = match?.[1];
  if (name === undefined || !isEffectName(name)) return null;
  const known = parametersOf(name);
  const params: Record<string, number> = {};
  for (const [key, parameter] of Object.entries(known)) params[key] = parameter.default;
  for (const part of (match?.[2] ?? '').split(',')) {
    if (part.trim() === '') continue;
    const pair = /^\s*([a-z_]+)\s*=\s*(-?(?:\d+\.?\d*|\.\d+))\s*$/.exec(part);
    const parameter = pair?.[1] === undefined || !Object.hasOwn(known, pair[1]) ? undefined : known[pair[1]];
    const value = Number(pair?.[2]);
    if (!pair?.[1] || !parameter || !(value >= parameter.min && value <= parameter.max)) return null;
    params[pair[1]] = value;
  }
  return { name, params };
}

/** Formats an effect in the grammar, without parameters that equal their defaults. */
export function formatEffect(effect: Effect): string {
  const known = parametersOf(effect.name);
  const parts = Object.entries(effect.params)
    .filter(([key, value]) => known[key] !== undefined && known[key].default !== value)
    .map(([key, value]) => `${key}=${Number(value.toFixed(3))}`);
  return parts.length === 0 ? effect.name : `${effect.name}(${parts.join(',')})`;
}

/** Effects by words in free texts, most specific first. */
const EFFECT_WORDS: readonly (readonly [RegExp, EffectName])[] = [
  [/high.?pass.*(sweep|rise|open|auto)|sweep.*high.?pass|filter.?rise/, 'highpass_sweep'],
  [/low.?pass.*(sweep|open|close|auto)|filter.?(sweep|open|in)|sweep/, 'lowpass_sweep'],
  [/high.?pass|low.?cut|hpf/, 'highpass'],
  [/low.?pass|high.?cut|lpf|muffle|underwater/, 'lowpass'],
  [/band.?pass|telephone|phone|radio|lo.?fi|megaphone/, 'bandpass'],
  [/echo.?out|echo.?tail/, 'echo_out'],
  [/ping.?pong/, 'pingpong'],
  [/delay|echo/, 'delay'],
  [/reverb|hall|room|plate|space|wash/, 'reverb'],
  [/side.?chain|pump|duck/, 'sidechain'],
  [/gate|chop/, 'gate'],
  [/fade.?in|swell/, 'fade_in'],
  [/fade/, 'fade_out'],
  [/reverse|backwards/, 'reverse'],
  [/stutter|glitch|beat.?repeat|roll|loop/, 'stutter'],
  [/riser|rise|uplift|build.?up|noise/, 'riser'],
  [/wide|width|stereo|spread|chorus/, 'width'],
  [/mono/, 'width'],
  [/eq|bright|boost|cut|warm/, 'eq'],
  [/filter/, 'lowpass'],
];

/**
 * Returns the effect that a free text most likely means: `high-pass-filter-800hz` is `highpass(freq=800)`,
 * `LowPass(freq=99999)` is `lowpass` at its maximum. A frequency in the text becomes `freq`.
 * @returns null if no effect matches
 */
export function nearestEffect(text: string): Effect | null {
  const exact = parseEffect(text);
  if (exact) return exact;
  const lower = text.slice(0, MAX_EFFECT_LENGTH).toLowerCase();
  const head = (/^\s*([a-z_ -]+)/.exec(lower)?.[1] ?? '')
    .trim()
    .replace(/[\s-]+/g, '_')
    .replace(/_+$/, '');
  const name = isEffectName(head) ? head : EFFECT_WORDS.find(([pattern]) => pattern.test(lower))?.[1];
  if (name === undefined) return null;
  const known = parametersOf(name);
  const params: Record<string, number> = {};
  for (const [key, parameter] of Object.entries(known)) {
    const named = new RegExp(`\\b${key}\\s*[=:]\\s*(-?\\d+\\.?\\d*)`).exec(lower)?.[1];
    params[key] = named === undefined ? parameter.default : clampTo(Number(named), parameter);
  }
  const frequency = /(\d+\.?\d*)\s*(k?)\s*hz/.exec(lower);
  if (known['freq'] && frequency)
    params['freq'] = clampTo(Number(frequency[1]) * (frequency[2] ? 1000 : 1), known['freq']);
  if (name === 'width' && /mono/.test(lower)) params['amount'] = 0;
  return { name, params };
}

function clampTo(value: number, { min, max }: Parameter): number {
  return Math.min(max, Math.max(min, value));
}

/** Lists all effects with parameters and ranges, one a line, for the prompt. */
export function describeEffects(): string {
  return Object.entries<EffectDefinition>(EFFECTS)
    .map(([name, { description, parameters }]) => {
      const list = Object.entries(parameters)
        .map(([key, q]) => `${key}=${q.default} [${q.min}..${q.max}${q.unit ? ` ${q.unit}` : ''}]`)
        .join(', ');
      return `${name}${list ? `(${list})` : ''}: ${description}`;
    })
    .join('\n');
}
