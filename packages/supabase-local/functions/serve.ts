/**
 * Runs all edge functions of a folder in one Deno process: requests to `/<name>` go to the handler that
 * `<name>/index.ts` passes to `Deno.serve`. Runs under Deno only.
 *
 * Arguments: port, URL of the folder with a trailing slash.
 */

type Handler = (request: Request, info: unknown) => Response | Promise<Response>;

interface DenoRuntime {
  args: string[];
  serve: (...parameters: unknown[]) => unknown;
  readDirSync(path: URL): Iterable<{ name: string; isDirectory: boolean }>;
  statSync(path: URL): { isFile: boolean; isDirectory: boolean };
  stdin: { read(buffer: Uint8Array): Promise<number | null> };
  exit(code: number): never;
  addSignalListener(signal: string, handler: () => void): void;
}

const runtime = (globalThis as unknown as { Deno: DenoRuntime }).Deno;
const listen = runtime.serve.bind(runtime) as (
  options: { hostname: string; port: number; onListen: () => void },
  handler: Handler,
) => unknown;

const [portText = '0', folder = ''] = runtime.args;
const HEALTH_PATH = '/_health';

const handlers = new Map<string, Handler>();
const failures = new Map<string, string>();
let captured: Handler | undefined;

runtime.serve = (...parameters: unknown[]): unknown => {
  const handler = parameters.find((parameter) => typeof parameter === 'function') as Handler | undefined;
  const [options] = parameters as [{ handler?: Handler } | undefined];
  captured = handler ?? options?.handler;
  return { finished: Promise.resolve(), shutdown: () => Promise.resolve(), addr: { hostname: '127.0.0.1', port: 0 } };
};

Object.assign(globalThis, {
  EdgeRuntime: {
    waitUntil(work: Promise<unknown>): void {
      work.catch((error: unknown) => console.error('background work failed:', messageOf(error)));
    },
  },
});

// An unhandled rejection of one function must not end the others.
globalThis.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  console.error('unhandled rejection:', messageOf((event as unknown as { reason: unknown }).reason));
});

for (const name of functionNames()) await load(name);

listen(
  {
    hostname: '127.0.0.1',
    port: Number(portText),
    onListen: () => console.log(`functions: ${[...handlers.keys()].join(', ')}`),
  },
  async (request, info) => {
    const path = new URL(request.url).pathname;
    if (path === HEALTH_PATH)
      return Response.json({ status: 'ok', functions: [...handlers.keys()], failures: [...failures.keys()] });
    const name = path.split('/')[1] ?? '';
    const handler = handlers.get(name);
    if (handler === undefined) {
      return failures.has(name)
        ? errorResponse(503, 'BOOT_ERROR', 'Function failed to start (please check logs)')
        : errorResponse(404, 'NOT_FOUND', 'Requested function was not found');
    }
    try {
      return await handler(request, info);
    } catch (error) {
      console.error(`${name}:`, messageOf(error));
      return errorResponse(500, 'WORKER_ERROR', 'Function exited due to an error (please check logs)');
    }
  },
);

void exitWithParent();
runtime.addSignalListener('SIGTERM', () => runtime.exit(0));

function functionNames(): string[] {
  const names: string[] = [];
  if (!isDirectory(new URL(folder))) return names;
  for (const entry of runtime.readDirSync(new URL(folder))) {
    if (
      entry.isDirectory &&
      !entry.name.startsWith('_') &&
      !entry.name.startsWith('.') &&
      entryOf(entry.name) !== undefined
    ) {
      names.push(entry.name);
    }
  }
  return names.sort();
}

function isDirectory(url: URL): boolean {
  try {
    return runtime.statSync(url).isDirectory;
  } catch {
    return false;
  }
}

/** Returns the file of a function: compiled if there is one, because Deno runs no TypeScript below `node_modules`. */
function entryOf(name: string): URL | undefined {
  const files = ['index.js', 'index.ts'].map((file) => new URL(`${encodeURIComponent(name)}/${file}`, folder));
  return files.find(isFile);
}

function isFile(url: URL): boolean {
  try {
    return runtime.statSync(url).isFile;
  } catch {
    return false;
  }
}

/** Loads one function. Functions are loaded one after the other: a captured handler belongs to the current one. */
async function load(name: string): Promise<void> {
  captured = undefined;
  try {
    await import(entryOf(name)?.href ?? '');
    if (captured === undefined) throw new Error('it did not call Deno.serve');
    handlers.set(name, captured);
  } catch (error) {
    failures.set(name, messageOf(error));
    console.error(`function ${name} failed to start:`, messageOf(error));
  }
}

function errorResponse(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status, headers: { 'sb-error-code': code } });
}

/** Exits when standard input, a pipe of the supervisor, is closed: the supervisor has ended. */
async function exitWithParent(): Promise<void> {
  const buffer = new Uint8Array(16);
  while ((await runtime.stdin.read(buffer)) !== null);
  runtime.exit(0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
