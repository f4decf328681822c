/** Formats of numbers, times and names as users read them. */
import { fileNameOf } from '@mashup-engine/client';

export { clock } from '../../music/plan/clock.ts';

/** Minutes and seconds in words, for screen readers, rounded like `clock`: `1 minute 5 seconds`. */
export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const count = (value: number, unit: string): string => `${value} ${unit}${value === 1 ? '' : 's'}`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [
    ...(minutes > 0 ? [count(minutes, 'minute')] : []),
    ...(rest > 0 || minutes === 0 ? [count(rest, 'second')] : []),
  ].join(' ');
}

/** Parts of a text in quotes: `“more bass”, “less bass”`. */
export const inQuotes = (parts: readonly string[]): string => parts.map((part) => `“${part}”`).join(', ');

/** A share of 0..1 as `42 %`. */
export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** A level with its sign: `-3 dB`. */
export const decibels = (db: number): string => `${db > 0 ? '+' : ''}${Math.round(db * 10) / 10} dB`;

/** A number with at most one decimal place. */
export const decimal = (value: number): string => String(Math.round(value * 10) / 10);

/** A size in bytes as `1.5 MB`. */
export const megabytes = (bytes: number): string => `${decimal(bytes / 1024 / 1024)} MB`;

/** A past time relative to now: `2 minutes ago`. */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (Math.abs(seconds) < 60) return 'just now';
  if (Math.abs(seconds) < 3600) return format.format(Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86_400), 'day');
}

/** The name of a separation model without the hash of its file: `htdemucs-da9e5101` becomes `htdemucs`. */
export const modelName = (model: string): string => model.replace(/-[0-9a-f]{8,64}$/, '');

/** A file name that is valid on every operating system. */
export const fileName = (title: string, format: string): string => `${fileNameOf(title)}.${format}`;
