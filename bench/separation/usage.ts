/** Time and memory of processes with all that they start (Linux). */
import { readFileSync } from 'node:fs';
import { startedCpuSeconds } from '../process-tree.ts';

/** Time between two looks at the memory. */
const SAMPLE_MS = 50;
const TICKS_PER_SEC = 100;

/** What some work took. The memory is that of the processes together, at its peak. */
export type Usage = { seconds: number; cpuSeconds: number; peakMb: number };

/** Reads a file of /proc; an empty text if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Memory of a process and of all that it started, in MB. */
function memoryOf(pid: number): number {
  const own = Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1000;
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + memoryOf(child), own);
}

/** Processor seconds of everything that this process has started, ended or not. */
function cpuSeconds(): number {
  const stat = read('/proc/self/stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (startedCpuSeconds() ?? 0) + (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SEC;
}

/** Measures what a process, and all that it starts, takes while `work` is done. */
export async function measure<T>(pid: number, work: () => Promise<T>): Promise<{ value: T; usage: Usage }> {
  let peakMb = 0;
  const timer = setInterval(() => (peakMb = Math.max(peakMb, memoryOf(pid))), SAMPLE_MS);
  const [started, cpu] = [performance.now(), cpuSeconds()];
  try {
    const value = await work();
    return { value, usage: { seconds: (performance.now() - started) / 1000, cpuSeconds: cpuSeconds() - cpu, peakMb } };
  } finally {
    clearInterval(timer);
  }
}
