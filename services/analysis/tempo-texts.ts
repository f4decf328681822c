/** Warnings about the tempo and the bars of a song, in plain words. */
import { clock } from '../../music/plan/clock.ts';
import type { TempoPart } from '../../schema.ts';

const tempoText = ({ bpm }: TempoPart): string => `${Math.round(bpm)} bpm`;

/** `100 bpm from 0:00, 126 bpm from 0:43`. */
function listParts(parts: readonly TempoPart[], textOf: (part: TempoPart) => string): string {
  return parts.map((part) => `${textOf(part)} from ${clock(part.start_sec)}`).join(', ');
}

/** Tempi with a smaller relative difference are one tempo. */
const SAME_TEMPO = 0.02;

/** Returns a warning for a song with a beat whose meter is not known. */
export function meterWarnings(hasBeat: boolean, meter: number | null): string[] {
  return hasBeat && meter === null ? ['No meter was found: its bars are not known, and four beats are assumed.'] : [];
}

/** Returns warnings for a song that consists of several parts: what changes, and when. */
export function partWarnings(parts: readonly TempoPart[]): string[] {
  if (parts.length < 2) return [];
  const advice = 'A mashup uses one part of this song.';
  const first = parts[0]!;
  const warnings: string[] = [];
  if (parts.some(({ bpm }) => Math.abs(bpm / first.bpm - 1) > SAME_TEMPO))
    warnings.push(`The tempo changes: ${listParts(parts, tempoText)}. ${advice}`);
  if (parts.some(({ meter }) => meter !== first.meter)) {
    const textOf = ({ meter }: TempoPart): string => (meter === null ? 'no known meter' : `${meter} beats to the bar`);
    warnings.push(`The meter changes: ${listParts(parts, textOf)}. ${advice}`);
  }
  if (warnings.length === 0) {
    const times = parts.slice(1).map(({ start_sec }) => clock(start_sec));
    warnings.push(`The beat pauses and goes on out of step at ${times.join(' and ')}. ${advice}`);
  }
  return warnings;
}
