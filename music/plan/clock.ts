/** Times and lengths as users read them. Page, command line and messages use this function alone, so that they round alike. */

/** Returns seconds, rounded, as minutes and seconds: `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Reads a length as users write it: `1:45`, `105`, `105 s`. Returns seconds; undefined for anything else. */
export function parseClock(text: string): number | undefined {
  const [, minutes, sec, alone] = /^\s*(?:(\d{1,3}):([0-5]\d)|(\d{1,4}(?:\.\d+)?)\s*s?)\s*$/.exec(text) ?? [];
  if (alone !== undefined) return Number(alone);
  return minutes === undefined ? undefined : 60 * Number(minutes) + Number(sec);
}
