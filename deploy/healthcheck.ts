/**
 * The health check of the image: exits with 0 if the process of this container answers `/healthz`. A container runs one process:
 * the worker or a service, on the port that is set or on its default. It imports nothing, since it runs every few seconds.
 */
const SERVICE_PORTS = [8000, 8001, 8002, 8003, 8004];
const TIMEOUT_MS = 3_000;

const { PORT, WORKER_HTTP_PORT } = process.env;
const ports = PORT ? [PORT] : [WORKER_HTTP_PORT, ...SERVICE_PORTS];

async function isHealthy(port: string | number | undefined): Promise<boolean> {
  if (!port) return false;
  const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return response.ok;
}

const answers = await Promise.allSettled(ports.map(isHealthy));
process.exit(answers.some((answer) => answer.status === 'fulfilled' && answer.value) ? 0 : 1);
