import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Tests whether a process with this id exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Tests whether a process is a zombie: it has exited and only its id is still in use. Linux only, else false. */
export function isZombie(pid: number): boolean {
  return procStat(pid)?.state === 'Z';
}

/** Returns the command line of a process, separated by blanks; undefined if it has exited or is hidden. */
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
 * Returns the start time of a process as the system reports it. It tells apart two processes that had the same id one after
 * the other. Undefined if the process has exited.
 */
export function startMarkOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = procStat(pid);
    return stat === undefined ? undefined : `${bootId()}:${stat.startTicks}`;
  }
  return psField(pid, 'lstart');
}

/** Sends a signal to a process group. Returns false if the group no longer exists. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to a process. Returns false if it has exited. */
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
