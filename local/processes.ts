import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process with this id exists and is more than a zombie that nobody has reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Whether the process has ended and waits to be reaped: it holds its id, and nothing else. Linux only, else false. */
export function isZombie(pid: number): boolean {
  return procStat(pid)?.state === 'Z';
}

/** The command line of a process, arguments separated by blanks; undefined if it is gone or hidden. */
export function commandOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return text === '' ? undefined : text;
    } catch {
      return undefined;
    }
  }
  return psField(pid, 'command');
}

/**
 * A value that differs between two processes that had the same id one after the other: the start time as the
 * system tells it. Undefined if the process is gone.
 */
export function startMarkOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = procStat(pid);
    return stat === undefined ? undefined : `${bootId()}:${stat.startTicks}`;
  }
  return psField(pid, 'lstart');
}

/** Sends a signal to a whole process group; false if there is none any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to one process; false if it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

function procStat(pid: number): { state: string; startTicks: string } | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may contain blanks and parentheses: count fields from the last one.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startTicks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function psField(pid: number, field: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-p', String(pid), '-o', `${field}=`], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
