/** The analysis of a song as lines of text. */
import pc from 'picocolors';
import { displayKeyWithCamelot } from '../music/theory/keys.ts';
import type { SongAnalysis } from '../schema.ts';
import { clock, table } from './output.ts';

/** Frequency of A4 in the standard tuning. */
const STANDARD_HZ = 440;

const CONTENT_TEXTS: Record<NonNullable<SongAnalysis['content']>, string> = {
  full: 'voice and instruments',
  acapella: 'only voices',
  instrumental: 'no voice',
};

const share = (value: number): string => `${Math.round(100 * value)} %`;
const bpmText = (bpm: number): string => `${bpm.toFixed(1)} bpm`;
/** A time with tenths of a second: `1:05.3`. */
const preciseClock = (seconds: number): string => {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, '0')}.${tenths % 10}`;
};

/** Returns a table of what the analysis has: name and value in each row, then the sections and the warnings. */
export function analysisLines(analysis: SongAnalysis): string[] {
  const { rhythmic, loudness, content, duration_sec: length, sections = [], warnings = [] } = analysis;
  const facts: [string, string | undefined][] = [
    ['Length', length === null ? undefined : clock(length)],
    ['Tempo', tempoText(rhythmic)],
    ['Meter', meterText(rhythmic)],
    ['Beats', beatsText(rhythmic)],
    ['Key', keyText(analysis.harmonic)],
    ['Tuning', tuningText(analysis.harmonic)],
    ['Content', content && `${CONTENT_TEXTS[content]} (${content})`],
    ['Voice', `presence ${share(analysis.vocal.vocal_presence)}`],
    [
      'Loudness',
      loudness && `${loudness.integrated_lufs.toFixed(1)} LUFS, true peak ${loudness.true_peak_dbtp.toFixed(1)} dBTP`,
    ],
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[pc.dim(name), value]]));
  const parts = (rhythmic.tempo_parts ?? []).map((part) => [
    pc.dim(`${clock(part.start_sec)} - ${clock(part.end_sec)}`),
    bpmText(part.bpm),
    part.meter === null ? 'no known meter' : `${part.meter} beats per bar`,
  ]);
  const spans = sections.map((section) => [
    pc.dim(`${clock(section.start_sec)} - ${clock(section.end_sec)}`),
    section.label,
    pc.dim(`energy ${share(section.energy)}, voice ${share(section.vocal_presence)}`),
  ]);
  return [
    ...table(rows),
    ...titled('Tempo parts', table(parts)),
    ...titled('Sections', table(spans)),
    ...warnings.map((warning) => pc.yellow(`! ${warning}`)),
  ];
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [pc.dim(title), ...lines.map((line) => `  ${line}`)];
}

function tempoText({ bpm, beat_confidence, has_beat, tempo_alternatives = [] }: SongAnalysis['rhythmic']): string {
  if (has_beat === false) return 'none: no beat is heard';
  const others = tempo_alternatives.slice(0, 2).map((other) => other.bpm.toFixed(1));
  return `${bpmText(bpm)}, confidence ${share(beat_confidence)}${others.length > 0 ? `, or ${others.join(', ')}` : ''}`;
}

function meterText({ meter, has_beat }: SongAnalysis['rhythmic']): string | undefined {
  if (has_beat === false || meter === undefined) return undefined;
  return meter === null ? 'no known meter' : `${meter} beats per bar`;
}

function beatsText({ beats_sec, downbeats_sec = [], has_beat }: SongAnalysis['rhythmic']): string | undefined {
  if (has_beat === false || beats_sec === undefined || beats_sec.length === 0) return undefined;
  const bars =
    downbeats_sec.length === 0 ? '' : `, ${downbeats_sec.length} bars from ${preciseClock(downbeats_sec[0]!)} on`;
  return `${beats_sec.length} from ${preciseClock(beats_sec[0]!)} to ${preciseClock(beats_sec.at(-1)!)}${bars}`;
}

function keyText({ key, key_confidence }: SongAnalysis['harmonic']): string {
  return key === 'N/A' ? 'not known' : `${displayKeyWithCamelot(key)}, confidence ${share(key_confidence)}`;
}

function tuningText({
  tuning_cents: cents,
  tuning_confidence: confidence,
}: SongAnalysis['harmonic']): string | undefined {
  if (cents === undefined) return undefined;
  if (confidence === 0) return 'not known';
  const whole = Math.round(cents);
  const sign = whole > 0 ? '+' : '';
  const hertz = (STANDARD_HZ * 2 ** (cents / 1200)).toFixed(1);
  return `${sign}${whole === 0 ? 0 : whole} cents (A = ${hertz} Hz)${confidence === undefined ? '' : `, confidence ${share(confidence)}`}`;
}
