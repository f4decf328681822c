/**
 * supabase-js leaves timers of ten seconds and more behind (closed sockets, pushes without a reply), for which Node would
 * wait at the end of a file. Importing this lets the process go without them; while a test runs they fire as ever.
 */
const LONG_TIMER_MS = 10_000;
const original = globalThis.setTimeout;
const patient = (...given: Parameters<typeof original>): NodeJS.Timeout => {
  const timer = original(...given);
  return (given[1] ?? 0) >= LONG_TIMER_MS ? timer.unref() : timer;
};
globalThis.setTimeout = Object.assign(patient, original);
