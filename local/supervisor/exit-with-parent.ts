/**
 * Preloaded (`node --import`) into each Node process of the stack. Standard input is a pipe to which nobody writes, so it
 * ends when the supervisor ends, for whatever reason. The process then stops itself, and is killed after a timeout.
 */
import { isMainThread } from 'node:worker_threads';

const STOP_TIMEOUT_MS = 5_000;

if (isMainThread) {
  process.stdin.on('end', stop).on('error', stop).resume();
  // Standard input alone does not keep the process running.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref();
  // Writing to a supervisor that has ended must not end the process before its clean-up.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

function stop(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_TIMEOUT_MS).unref();
  process.kill(process.pid, 'SIGTERM');
}
