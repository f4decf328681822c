import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';

import { PortTakenError } from './errors.ts';
import type { PortHolder } from './errors.ts';
import { commandOf } from './processes.ts';

/** The address on which all parts of the local stack listen. */
export const LOOPBACK = '127.0.0.1';

const COMMAND_LENGTH = 120;

/** Tests whether a server could listen on a loopback port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen({ port, host: LOOPBACK, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Tests whether a process accepts connections on a loopback port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));

    function finish(listening: boolean): void {
      socket.destroy();
      resolve(listening);
    }
  });
}

/** Ports that systems do not give to outgoing connections: one of those could take a port before its server listens. */
const FIRST_FREE_PORT = 20_000;
const FREE_PORTS = 12_000;
const ATTEMPTS = 50;

/**
 * Returns a loopback port that was free at the time of the call. On Linux no other call on this machine returns it while this process
 * runs: a server may need a second until it listens. @throws Error if none is found
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_FREE_PORT + randomInt(FREE_PORTS);
    if ((await reserve(port)) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port was found from ${FIRST_FREE_PORT} to ${FIRST_FREE_PORT + FREE_PORTS}`);
}

/** Takes a name of the system for a port until this process ends. Returns false if it is taken. Other systems than Linux have no such names. */
function reserve(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true);
  return new Promise((resolve) => {
    const name = createServer();
    name.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    name.listen({ path: `\0mashup-port-${port}` }, () => resolve(true)).unref();
  });
}

/**
 * Checks that a port is free.
 * @param hint which option or setting assigns another port to this part
 * @throws PortTakenError with the process that holds the port
 */
export async function assertPortFree(port: number, purpose: string, hint: string): Promise<void> {
  if (!(await isPortFree(port))) throw new PortTakenError(port, purpose, portHolder(port), hint);
}

/** Returns the process that listens on a TCP port, from /proc or `lsof`; undefined if neither reveals it. */
export function portHolder(port: number): PortHolder | undefined {
  const pid = holderFromProc(port) ?? holderFromLsof(port);
  if (pid === undefined) return undefined;
  const command = commandOf(pid) ?? 'unknown';
  return { pid, command: command.length > COMMAND_LENGTH ? `${command.slice(0, COMMAND_LENGTH)}…` : command };
}

function holderFromProc(port: number): number | undefined {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    let descriptors: string[];
    try {
      descriptors = readdirSync(`/proc/${entry}/fd`);
    } catch {
      continue;
    }
    for (const descriptor of descriptors) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${entry}/fd/${descriptor}`))?.[1];
        if (inode !== undefined && inodes.has(inode)) return Number(entry);
      } catch {
        continue;
      }
    }
  }
  return undefined;
}

function listeningInodes(port: number): Set<string> {
  const LISTEN = '0A';
  const inodes = new Set<string>();
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = readFileSync(table, 'utf8');
    } catch {
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hexPort}`) && fields[3] === LISTEN && fields[9] !== undefined) inodes.add(fields[9]);
    }
  }
  return inodes;
}

function holderFromLsof(port: number): number | undefined {
  try {
    const text = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = /^p(\d+)$/m.exec(text)?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
