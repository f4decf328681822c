#!/usr/bin/env node
/** The worker process: `node worker/main.ts`, configured by environment variables. */
import { outliveOutput } from '../telemetry/log.ts';
import { readConfig } from './config.ts';
import { requireDefaultServices } from './default-services.ts';
import { WorkerStartError } from './errors.ts';
import { createLog } from './log.ts';
import { errorText } from './redact.ts';
import { runWorker } from './run.ts';

/** The process exits after this even if the stop hangs. */
const STOP_LIMIT_MS = 5_000;

function refuse(error: unknown): never {
  const hint = error instanceof WorkerStartError ? ` ${error.hint}` : '';
  process.stderr.write(`worker: ${errorText(error)}.${hint}\n`);
  process.exit(1);
}

try {
  const config = readConfig(process.env);
  const log = createLog(config.logFormat ?? 'json', (line) => process.stderr.write(`${line}\n`));
  outliveOutput();
  // A fault in one task must not end the others.
  process.on('unhandledRejection', (error) => log('error', 'unhandled rejection', { error: errorText(error) }));
  process.on('uncaughtException', (error) => log('error', 'uncaught exception', { error: errorText(error) }));
  const stopEarly = (): void => process.exit(0);
  process.on('SIGTERM', stopEarly);
  process.on('SIGINT', stopEarly);

  await requireDefaultServices(config.defaultServices ?? [], config.serviceUrls, log);
  const worker = await runWorker(config);
  const stop = (): void => {
    setTimeout(() => process.exit(0), STOP_LIMIT_MS).unref();
    void worker.stop();
  };
  process.off('SIGTERM', stopEarly);
  process.off('SIGINT', stopEarly);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(
    `${JSON.stringify({ listening: true, service: 'worker', worker: worker.id, pid: process.pid, concurrency: config.concurrency })}\n`,
  );
  const reason = await worker.done;
  if (reason !== undefined) refuse(reason);
  process.exit(0);
} catch (error) {
  refuse(error);
}
