/** Opens addresses in the user's browser. */
import { spawn } from 'node:child_process';

/** An opener that still runs after this time has found a browser. */
const PATIENCE_MS = 3_000;

/** Program and arguments that open an address, by platform. */
const OPENERS: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  linux: ['xdg-open'],
};

/** Opens an address. Resolves to whether a browser takes it: there is none on a machine without a screen. */
export async function openInBrowser(url: string): Promise<boolean> {
  const { platform, env } = process;
  // Without a screen xdg-open would look for a browser in the terminal.
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return false;
  const [program, ...args] = OPENERS[platform] ?? [];
  if (program === undefined) return false;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.unref();
  return new Promise((resolve) => {
    setTimeout(() => resolve(true), PATIENCE_MS);
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
