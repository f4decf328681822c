/** The five services on one port, with the faults of the fault plan. Their files show which claim they were written for. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { callFaultOf } from './fault-plan.ts';
import type { CallFault, JobFault } from './fault-plan.ts';
import { applyCallFault, respondWithJobFault, sendJson, sendResult, sendStorageFault } from './faulty-responses.ts';
import { parseCall, UploadError } from './service-calls.ts';

/** Moments of a call: before its work, and before its response. Tests hold calls there. */
export type CallMoment = 'received' | 'finished';

export interface FaultyServicesOptions {
  /** Seed of the fault plan; undefined: no faults of calls. */
  seed?: number;
  /** The planned fault of the job of a song. */
  jobFaultOf?: (songId: string) => JobFault;
  /** Called for a render that kills its worker; the call gets no response. */
  onKiller?: (claim: string) => void;
  /** Called at each moment of each call. The call continues when it resolves. */
  onCall?: (service: ServiceName, moment: CallMoment, songId: string, aborted: AbortSignal) => void | Promise<void>;
}

/** Starts the services. */
export async function startFaultyServices(options: FaultyServicesOptions = {}): Promise<FaultyServices> {
  const services = new FaultyServices(options);
  await services.listen();
  return services;
}

/** Running faulty services. */
export class FaultyServices {
  /** Number of calls so far. */
  calls = 0;
  /** Number of faults so far, by `service fault`. */
  readonly faults = new Map<string, number>();
  /** Services with an outage: they refuse every call with 503. */
  readonly outages = new Set<ServiceName>();
  readonly #options: FaultyServicesOptions;
  readonly #callsOfTask = new Map<string, number>();
  readonly #server: Server;

  constructor(options: FaultyServicesOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  /** Base URL of each service. */
  get urls(): Record<ServiceName, string> {
    const { port } = this.#server.address() as AddressInfo;
    const urls = SERVICES.map((name) => [name, `http://127.0.0.1:${port}/${name}`]);
    return Object.fromEntries(urls) as Record<ServiceName, string>;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const service = SERVICES.find((name) => request.url === `/${name}${SERVICE_DEFAULTS[name].path}`);
    if (!service || request.method !== 'POST') return sendJson(response, 404, { detail: 'Not Found' });
    const call = parseCall(service, await readBody(request));
    this.calls += 1;
    const { onCall, onKiller, jobFaultOf } = this.#options;
    const aborted = new AbortController();
    response.once('close', () => aborted.abort());
    await onCall?.(service, 'received', call.songId, aborted.signal);
    if (this.outages.has(service)) {
      this.#count(service, 'outage');
      return sendJson(response, 503, { detail: 'Service Unavailable' });
    }
    const jobFault = jobFaultOf?.(call.songId) ?? 'none';
    if (respondWithJobFault(jobFault, call, response, (claim) => onKiller?.(claim)))
      return this.#count(service, jobFault);
    const fault = this.#nextCallFault(service, call.songId);
    if (fault !== undefined) {
      this.#count(service, fault);
      if (await applyCallFault(fault, call, response, aborted.signal)) return;
    }
    const result = await call.run(aborted.signal, fault).catch((error: unknown) => {
      if (!(error instanceof UploadError)) throw error;
      return error;
    });
    if (result instanceof UploadError) {
      this.#count(service, 'storage outage');
      return sendStorageFault(call, response);
    }
    await onCall?.(service, 'finished', call.songId, aborted.signal);
    sendResult(call, result, response);
  }

  #nextCallFault(service: ServiceName, songId: string): CallFault | undefined {
    const { seed } = this.#options;
    if (seed === undefined) return undefined;
    const task = `${service} ${songId}`;
    const call = this.#callsOfTask.get(task) ?? 0;
    this.#callsOfTask.set(task, call + 1);
    return callFaultOf(seed, service, songId, call);
  }

  #count(service: ServiceName, fault: string): void {
    const key = `${service} ${fault}`;
    this.faults.set(key, (this.faults.get(key) ?? 0) + 1);
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}
