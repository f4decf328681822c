import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log that would grow beyond this size is renamed to `<file>.1`, which replaces the previous one. */
export const MAX_LOG_BYTES = 5_000_000;
const TAIL_LINES = 20;

/** The log of one process: all lines on disk, the last 20 in memory. */
export interface LogFile {
  write(line: string): void;
  tail(): string[];
}

/** Passes each line on. The last 20 stay in memory. */
export function passLines(write: (line: string) => void): LogFile {
  const recent: string[] = [];
  return {
    write(line) {
      recent.push(line);
      if (recent.length > TAIL_LINES) recent.shift();
      write(line);
    },
    tail: () => [...recent],
  };
}

/** Opens a log for appending. Write errors, such as a full disk, are ignored. */
export function openLogFile(path: string, maxBytes = MAX_LOG_BYTES): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return passLines((line) => {
    const text = `${new Date().toISOString()} ${line}\n`;
    try {
      if (bytes > 0 && bytes + text.length > maxBytes) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, text, { mode: 0o600 });
      bytes += Buffer.byteLength(text);
    } catch {
      return;
    }
  });
}
