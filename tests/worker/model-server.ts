/** A separation service that speaks the protocol of models: it tells them, and streams its progress. What it does is for a test to say. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SeparateRequest, STEMS } from '../../schema.ts';
import type { HealthResponse, SeparationModels } from '../../schema.ts';
import type { CleanUpScope } from '../support/postgres.ts';
import { wavFile } from './wav-file.ts';

export const CLASSICAL = 'dsp-4';
export const NEURAL = 'htdemucs-da9e5101';

/** How a separation ends. */
export type Ending =
  { model: string; warnings?: string[] } | { error: string; code: string; hint: string; status: number };

/** One call of `POST /separate`. */
export interface SeparationCall {
  request: SeparateRequest;
  /** Sends an event. */
  send(event: object): void;
  /** Resolves when the caller has closed the connection. */
  closed: Promise<unknown>;
}

export interface ModelServer {
  url: string;
  models: SeparationModels | undefined;
  /** Every call so far. */
  calls: SeparationCall[];
  /** Says how a separation ends, once it is to end. */
  separate: (call: SeparationCall) => Ending | Promise<Ending>;
}

/** Starts the service. It ends after the test. */
export async function startModelServer(scope: CleanUpScope): Promise<ModelServer> {
  const state: ModelServer = {
    url: '',
    models: { classical: CLASSICAL, neural: NEURAL, used: NEURAL },
    calls: [],
    separate: ({ request }) => ({ model: request.method === 'classical' ? CLASSICAL : NEURAL }),
  };
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const health: HealthResponse = { status: 'ok', service: 'separation', version: CLASSICAL, models: state.models };
      return void response.end(JSON.stringify(health));
    }
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      await answer(state, SeparateRequest.parse(JSON.parse(text)), response);
    })();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  scope.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

async function answer(state: ModelServer, request: SeparateRequest, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (event: object): void => void response.write(`data: ${JSON.stringify(event)}\n\n`);
  const call: SeparationCall = { request, send, closed: once(response, 'close') };
  state.calls.push(call);
  const ending = await state.separate(call);
  if ('error' in ending) send(ending);
  else send({ success: true, job_id: request.job_id, ...ending, stems: await upload(request) });
  response.end();
}

async function upload({ uploads }: SeparateRequest): Promise<Record<string, string>> {
  const stems: Record<string, string> = {};
  for (const stem of STEMS) {
    const { url, path } = uploads![stem];
    const put = await fetch(url, {
      method: 'PUT',
      body: new Uint8Array(wavFile(1, 1)),
      headers: { 'content-type': 'audio/wav' },
    });
    if (!put.ok) throw new Error(await put.text());
    stems[stem] = path;
  }
  return stems;
}
