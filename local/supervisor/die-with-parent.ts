/**
 * Preloaded (`node --import`) into each Node process of the stack: its standard input is a pipe that nobody writes to,
 * so its end means that the supervisor is gone, however it went. The process is then asked to stop, and ends in any case.
 */
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 5_000;

if (isMainThread) {
  process.stdin.on('end', stop).on('error', stop).resume();
  // A process that has nothing else to do may end by itself.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
  // Output to a supervisor that is gone must not be what ends the process before its clean-up has run.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

function stop(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}
