/** Numbers in words and figures that people read. */

/** `1:05` */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** `-3 dB` */
export const decibels = (db: number): string => `${db > 0 ? '+' : ''}${Math.round(db * 10) / 10} dB`;

export const decimal = (value: number): string => String(Math.round(value * 10) / 10);

export const megabytes = (bytes: number): string => `${decimal(bytes / 1024 / 1024)} MB`;

/** `sidechain(depth=5)` as `sidechain, depth 5` */
export function effectInWords(effect: string): string {
  const [, name = effect, settings = ''] = /^([\w-]+)\s*(?:\((.*)\))?$/.exec(effect.trim()) ?? [];
  const words = name.replaceAll('_', ' ');
  return settings === '' ? words : `${words} (${settings.replaceAll('=', ' ').replace(/,\s*/g, ', ')})`;
}

/** `2 minutes ago`, by the reader's language. */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (Math.abs(seconds) < 60) return 'just now';
  if (Math.abs(seconds) < 3600) return format.format(Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86_400), 'day');
}

export const STAGE_WORDS: Record<string, string> = {
  queued: 'Queued',
  analyzing: 'Analyse',
  scoring: 'Compare',
  planning: 'Plan',
  separating: 'Separate',
  rendering: 'Render',
  complete: 'Complete',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export const STEM_WORDS: Record<string, string> = { vocals: 'Vocals', drums: 'Drums', bass: 'Bass', other: 'Other' };

/** A file name that fits every system. */
export function fileName(title: string, format: string): string {
  const stem = title
    .normalize('NFC')
    .replace(/[^\p{L}\p{N} ._'&-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 80);
  return `${stem || 'mashup'}.${format}`;
}
