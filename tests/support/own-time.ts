/**
 * A clock for limits of tests on a machine that does other work as well. It counts the time in which this thread could run: turns of a timer,
 * which do not come while other programs have the processor. A thread that blocks itself gets no turns either; its processor time counts then.
 */
const TURN_MS = 20;

/** Starts a clock. Returns a function that returns the milliseconds since then. The clock ends with its process. */
export function startOwnTime(): () => number {
  let turns = 0;
  setInterval(() => turns++, TURN_MS).unref();
  const before = busyMs();
  return () => Math.max(turns * TURN_MS, busyMs() - before);
}

/** Processor time of this thread. 0 before Node 23.9, which does not tell it. */
function busyMs(): number {
  if (!('threadCpuUsage' in process)) return 0;
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
