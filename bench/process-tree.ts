/** Processor time of processes with all that they started (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SEC = 100;

/** Returns the processor seconds so far of everything that this process has started, not of itself. Null without `/proc`. */
export function startedCpuSeconds(): number | null {
  const children = new Map<number, { pid: number; seconds: number }[]>();
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const stat = readStat(name);
      if (!stat) continue;
      // Fields from the third on: state, parent, …, then times of the process and of children that have ended.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const parent = Number(fields[1]);
      children.set(parent, [...(children.get(parent) ?? []), { pid: Number(name), seconds: ticks / TICKS_PER_SEC }]);
    }
  } catch {
    return null;
  }
  const below = (pid: number): number =>
    (children.get(pid) ?? []).reduce((sum, child) => sum + child.seconds + below(child.pid), 0);
  return below(process.pid);
}

/** A process may end while the list is read. */
function readStat(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
}
