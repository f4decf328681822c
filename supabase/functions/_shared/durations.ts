/** Durations as texts of the status contract. */

/** `2h 3m 4s`, `3m 4s` or `4s`. */
export function elapsedText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (h > 0) return `${h}h ${m}m ${s}s`;
  return m > 0 ? `${m}m ${s}s` : `${s}s`;
}

/** Remaining time in whole minutes, rounded up: `1 minute`, `12 minutes`, `1 hour 5 minutes`. */
export function remainingText(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
  if (minutes < 60) return plural(minutes, 'minute');
  const rest = minutes % 60;
  return plural(Math.floor(minutes / 60), 'hour') + (rest === 0 ? '' : ` ${plural(rest, 'minute')}`);
}
