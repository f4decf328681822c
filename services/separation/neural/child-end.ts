/** The end of a process that sends messages. */
import type { ChildProcess } from 'node:child_process';

/** Calls back when a process has ended and all of its messages have arrived: its end may be noticed before its last message. */
export function onceEnded(
  child: ChildProcess,
  done: (code: number | null, killedBy: NodeJS.Signals | null) => void,
): void {
  child.once('exit', (code, killedBy) => {
    if (child.connected) child.once('disconnect', () => done(code, killedBy));
    else done(code, killedBy);
  });
}
