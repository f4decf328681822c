#!/usr/bin/env node
/**
 * The command `mashup`. The command line needs Node 22.18: in the repository it is TypeScript. This launcher is plain JavaScript
 * for any Node from version 18: an old Node starts itself again with the Node of package `node`, passes signals on and exits
 * as that process does.
 *
 * The command ends with its parent: npm and npx start it through a shell, which does not pass signals on. It outlives its
 * parent only in a session of its own (setsid, service managers).
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = [22, 18];
const PARENT_CHECK_MS = 200;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

if (isSuitable(process.versions.node)) {
  endWithParent(() => process.kill(process.pid, 'SIGTERM'));
  if (process.pid === 1) exitOnSignals();
  // The published package has compiled files.
  await import(existsSync(new URL('./main.ts', import.meta.url)) ? './main.ts' : '../dist/cli/main.js');
} else {
  startOtherNode();
}

/** @param {string} version */
function isSuitable(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** Runs this file with the Node of package `node`. */
function startOtherNode() {
  const program = findNode();
  if (program === undefined) {
    process.stderr.write(
      `mashup needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}, and package "node" is not installed. ` +
        'Install a newer Node, or run `npm ci` without --ignore-scripts.\n',
    );
    process.exit(1);
  }
  const child = spawn(program, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  endWithParent(() => child.kill('SIGTERM'));
  child.once('error', (error) => {
    process.stderr.write(`mashup cannot start ${program}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal !== null) endBySignal(signal);
    else process.exit(code ?? 1);
  });
}

/** Returns the program of package `node`, or undefined if it is missing or too old. */
function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    if (!isSuitable(JSON.parse(readFileSync(manifest, 'utf8')).version)) return undefined;
    const program = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Calls `stop` once when the parent has ended, or npm, which starts commands through a shell that outlives it.
 * @param {() => void} stop
 */
function endWithParent(stop) {
  const parent = process.ppid;
  const own = processInfo('self');
  // Without a parent in its namespace, and where the process was detached from its parent.
  if (parent <= 1 || own?.session === process.pid) return;
  const info = process.env.npm_command === undefined ? undefined : processInfo(String(parent));
  const npm = info !== undefined && /^(ba|da|a|z)?sh$/.test(info.name) ? info.parent : undefined;
  const timer = setInterval(() => {
    // The shell gets another parent when npm ends.
    if (process.ppid === parent && (npm === undefined || processInfo(String(parent))?.parent === npm)) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/**
 * Returns name, parent and session of a process; undefined where there is no /proc. nohup cannot be seen: Node resets ignored
 * signals.
 * @param {string} pid
 */
function processInfo(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const [, parent, , session] = stat.slice(end + 2).split(' ');
    return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(parent), session: Number(session) };
  } catch {
    return undefined;
  }
}

/** The kernel does not end process 1 of a container by a signal without a handler. */
function exitOnSignals() {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A command that has its own handler stops by itself.
      if (process.listenerCount(signal) === 1) endBySignal(signal);
    });
  }
}

/** @param {NodeJS.Signals} signal */
function endBySignal(signal) {
  if (process.pid === 1) process.exit(128 + constants.signals[signal]);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Until the signal arrives.
  setInterval(() => {}, 1_000);
}
