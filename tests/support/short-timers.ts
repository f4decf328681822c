/**
 * supabase-js leaves timers of ten seconds and more (closed sockets, pushes without a reply), which keep the process running
 * at the end of a test file. With this import such timers do not keep the process running. While a test runs they fire.
 */
const LONG_TIMER_MS = 10_000;
const original = globalThis.setTimeout;
const unreferenced = (...given: Parameters<typeof original>): NodeJS.Timeout => {
  const timer = original(...given);
  return (given[1] ?? 0) >= LONG_TIMER_MS ? timer.unref() : timer;
};
globalThis.setTimeout = Object.assign(unreferenced, original);
