/** The five existing services, replayed from recorded responses over real sockets. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { defaultResponders, sendJson, sendStream } from './replay-responses.ts';
import type { Responders } from './replay-responses.ts';

/** A response that replaces the default one. */
export type Behaviour =
  | { status: number; contentType: string; body: unknown; headers?: Record<string, string> }
  /** Accepts the call and never responds. */
  | 'hang'
  /** Resets the connection. */
  | 'reset'
  /** An event stream: the text, then the end. `silent` keeps the connection open instead. */
  | { stream: string; silent?: boolean }
  /** The default response of the renderer, with measurements in its last event. */
  | { result: Record<string, unknown> }
  /** The default response, when the promise resolves. */
  | { after: Promise<void> };

/** A behaviour that does not depend on the service. */
export type Answer = Exclude<Behaviour, { after: unknown } | { result: unknown }>;

export interface ReplayedCall {
  service: ServiceName;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
  /** When the caller closed the connection before the response was complete, by the monotonic clock. */
  abortedAt?: number;
}

/** Starts the five services on one port, each under a path of its own. */
export async function startReplayServer(storage: { url: string; serviceRoleKey: string }): Promise<ReplayServer> {
  const responders = await defaultResponders(storage);
  const replay = new ReplayServer(responders);
  await replay.listen();
  return replay;
}

/** A running replay server. */
export class ReplayServer {
  /** All calls so far. */
  readonly calls: ReplayedCall[] = [];
  readonly #responders: Responders;
  readonly #next = new Map<ServiceName, Behaviour[]>();
  readonly #always = new Map<ServiceName, Behaviour>();
  readonly #away = new Map<ServiceName, Answer>();
  readonly #server: Server;

  constructor(responders: Responders) {
    this.#responders = responders;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        if (!response.headersSent) sendJson(response, 500, { detail: String(error) });
        else response.destroy();
      });
    });
  }

  /** Base URL of each service. */
  get urls(): Record<ServiceName, string> {
    const { port } = this.#server.address() as AddressInfo;
    const urls = SERVICES.map((name) => [name, `http://127.0.0.1:${port}/${name}`]);
    return Object.fromEntries(urls) as Record<ServiceName, string>;
  }

  callsOf(service: ServiceName): ReplayedCall[] {
    return this.calls.filter((call) => call.service === service);
  }

  /** Sets the responses to the next calls of a service, one each. */
  next(service: ServiceName, ...behaviours: Behaviour[]): void {
    this.#next.set(service, [...(this.#next.get(service) ?? []), ...behaviours]);
  }

  /** Sets the response to all calls of a service; undefined restores the default. */
  always(service: ServiceName, behaviour: Behaviour | undefined): void {
    if (behaviour === undefined) this.#always.delete(service);
    else this.#always.set(service, behaviour);
  }

  /** Takes a service away: this is the answer to every request, its health included; undefined brings it back. */
  away(service: ServiceName, answer: Answer | undefined): void {
    if (answer === undefined) this.#away.delete(service);
    else this.#away.set(service, answer);
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
    const away = this.#away.get(SERVICES.find((name) => request.url?.startsWith(`/${name}/`)) ?? 'analysis');
    if (away !== undefined) return respond(away, response);
    const service = SERVICES.find((name) => request.url === `/${name}${SERVICE_DEFAULTS[name].path}`);
    if (!service || request.method !== 'POST') return sendJson(response, 404, { detail: 'Not Found' });
    const body = await readBody(request);
    const call: ReplayedCall = { service, body, headers: request.headers };
    this.calls.push(call);
    response.once('close', () => {
      if (!response.writableFinished) call.abortedAt = performance.now();
    });
    const behaviour = this.#next.get(service)?.shift() ?? this.#always.get(service);
    if (typeof behaviour === 'object' && 'after' in behaviour) await behaviour.after;
    else if (typeof behaviour === 'object' && 'result' in behaviour)
      return this.#responders.processing(body, response, behaviour.result);
    else if (behaviour !== undefined) return respond(behaviour, response);
    await this.#responders[service](body, response);
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
}

async function respond(behaviour: Answer, response: ServerResponse): Promise<void> {
  if (behaviour === 'hang') return;
  if (behaviour === 'reset') return void response.destroy();
  if ('stream' in behaviour) {
    await sendStream(response, behaviour.stream);
    if (!behaviour.silent) response.end();
    return;
  }
  const text = typeof behaviour.body === 'string' ? behaviour.body : JSON.stringify(behaviour.body);
  response.writeHead(behaviour.status, { 'content-type': behaviour.contentType, ...behaviour.headers });
  response.end(text);
}
