/** Effects of a layer in words. */
import { parseEffect, type EffectName } from '../plan/effects.ts';

type Params = Readonly<Record<string, number>>;
/** `bars`: length of the section; undefined if it is not known. */
type Describe = (params: Params, bars: number | undefined) => string;

const of = (params: Params, name: string): number => params[name] ?? 0;
const decimal = (value: number): string => String(Math.round(value * 10) / 10);
const hertz = (value: number): string => (value >= 1_000 ? `${decimal(value / 1_000)} kHz` : `${Math.round(value)} Hz`);
const barCount = (bars: number): string => `${decimal(bars)} ${bars === 1 ? 'bar' : 'bars'}`;
const signed = (db: number): string => `${db > 0 ? 'up' : 'down'} ${decimal(Math.abs(db))} dB`;

/** `over 4 bars`, or `over the section` if its length is not known. */
const overAll = (bars: number | undefined): string =>
  bars === undefined ? 'over the section' : `over ${barCount(bars)}`;

/** A number of bars of an effect, at most those of the section; 0 is all of it. */
const within = (wanted: number, bars: number | undefined): number | undefined =>
  wanted === 0 ? bars : Math.min(wanted, bars ?? wanted);

/** `over the last bar`, `over the last 2 bars`. */
const overLast = (count: number): string => `over the last ${count === 1 ? 'bar' : barCount(count)}`;

const BEATS: Readonly<Record<string, string>> = {
  '0.125': 'eighth of a beat',
  '0.25': 'quarter of a beat',
  '0.5': 'half beat',
  '0.75': 'three quarters of a beat',
  '1': 'beat',
};
const everyBeats = (beats: number): string => `every ${BEATS[String(beats)] ?? `${Number(beats.toFixed(3))} beats`}`;

/** How strong a share of 0..1 is, around its usual value. */
const strength = (share: number, [little, much]: readonly [number, number], name: string): string =>
  share < little ? `a little ${name}` : share > much ? `much ${name}` : name;

/** A sweep with the words for more and for less of the sound. */
function sweep(name: string, { from, to }: { from: number; to: number }, words: readonly [string, string]): Describe {
  return (_, bars) =>
    from === to
      ? `${name} at ${hertz(from)}`
      : `${name} ${to > from ? words[0] : words[1]} ${overAll(bars)}, from ${hertz(from)} to ${hertz(to)}`;
}

function fade(word: string, { bars: wanted = 0 }: Params, bars: number | undefined): string {
  return `fades ${word} ${overAll(within(wanted, bars))}`;
}

function equalizer(params: Params): string {
  const bands = ['low', 'mid', 'high'].flatMap((band) =>
    of(params, band) === 0 ? [] : [`${band}s ${signed(of(params, band))}`],
  );
  return bands.length === 0 ? 'equalizer without a change' : `equalizer: ${bands.join(', ')}`;
}

function width({ amount = 1 }: Params): string {
  if (amount === 0) return 'mono';
  return amount === 1 ? 'stereo as it is' : amount < 1 ? 'narrow stereo' : 'wide stereo';
}

const range = (params: Params): { from: number; to: number } => ({ from: of(params, 'from'), to: of(params, 'to') });

const TEXTS: Record<EffectName, Describe> = {
  lowpass: ({ freq = 0 }) => `low-pass filter at ${hertz(freq)}`,
  highpass: ({ freq = 0 }) => `high-pass filter at ${hertz(freq)}`,
  bandpass: ({ freq = 0 }) => `band-pass filter around ${hertz(freq)}`,
  lowpass_sweep: (params, bars) => sweep('low-pass filter', range(params), ['opens', 'closes'])(params, bars),
  highpass_sweep: (params, bars) => sweep('high-pass filter', range(params), ['rises', 'falls'])(params, bars),
  eq: equalizer,
  reverb: ({ mix = 0, decay = 0 }) => strength(mix, [0.2, 0.3], decay > 3 ? 'long reverb' : 'reverb'),
  delay: ({ beats = 0 }) => `echo ${everyBeats(beats)}`,
  pingpong: ({ beats = 0 }) => `echo from side to side ${everyBeats(beats)}`,
  echo_out: ({ bars: last = 1 }, bars) => `leaves in echoes ${overLast(within(last, bars) ?? last)}`,
  width,
  sidechain: ({ depth = 0, beats = 0 }) => `ducks by ${decimal(depth)} dB ${everyBeats(beats)}`,
  gate: ({ beats = 0 }) => `chopped ${everyBeats(beats)}`,
  reverse: ({ bars: last = 0 }) => (last === 0 ? 'plays backwards' : `plays backwards ${overLast(last)}`),
  stutter: ({ bars: last = 1 }, bars) => `stutters ${overLast(within(last, bars) ?? last)}`,
  fade_in: (params, bars) => fade('in', params, bars),
  fade_out: (params, bars) => fade('out', params, bars),
  riser: ({ bars: last = 1 }, bars) => `noise rises ${overLast(within(last, bars) ?? last)}`,
};

/**
 * Returns an effect in words: `low-pass filter opens over 4 bars, from 250 Hz to 6 kHz`. A text that is no effect of the grammar is
 * returned as it is.
 * @param bars length of the section in bars, if it is known
 */
export function describeEffect(text: string, bars?: number): string {
  const effect = parseEffect(text);
  return effect ? TEXTS[effect.name](effect.params, bars) : text.trim();
}
