/** A local server with the streaming protocol of Anthropic's Messages API. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

type SentRequest = { headers: IncomingMessage['headers']; body: Record<string, unknown> };
export type Behaviour = (response: ServerResponse, request: SentRequest) => void;

export type AnthropicServer = {
  url: string;
  requests: SentRequest[];
  /** Sets the behaviour for the next requests. */
  behave: (behaviour: Behaviour) => void;
  close: () => Promise<void>;
};

const event = (response: ServerResponse, data: { type: string } & Record<string, unknown>): void => {
  response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
};

/** Begins a stream as the API does, with a thinking block before the text. */
export function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_local' });
  event(response, {
    type: 'message_start',
    message: {
      id: 'msg_local',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 2_000, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 500 },
    },
  });
  event(response, {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'thinking', thinking: '', signature: '' },
  });
  event(response, { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } });
  event(response, { type: 'content_block_stop', index: 0 });
  event(response, { type: 'ping' });
  event(response, { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } });
}

export function text(response: ServerResponse, piece: string): void {
  event(response, { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: piece } });
}

export function end(response: ServerResponse, stop_reason: string): void {
  event(response, { type: 'content_block_stop', index: 1 });
  event(response, {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 1_000 },
  });
  event(response, { type: 'message_stop' });
  response.end();
}

/** Streams a text in pieces of 200 characters. */
export const streamsText =
  (answer: string, stop_reason = 'end_turn'): Behaviour =>
  (response) => {
    begin(response);
    for (let at = 0; at < answer.length; at += 200) text(response, answer.slice(at, at + 200));
    end(response, stop_reason);
  };

/** Responds with an error status. */
export const rejectsWith =
  (status: number, type: string, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(
      JSON.stringify({
        type: 'error',
        error: { type, message: `${type} at https://api.example/v1?key=secret` },
        request_id: 'req_local',
      }),
    );
  };

/** Ends a stream with an error event, as the API does under overload. */
export const failsInStream =
  (type: string): Behaviour =>
  (response) => {
    begin(response);
    text(response, '{"creative_vision":"Half');
    event(response, { type: 'error', error: { type, message: type } });
    response.end();
  };

export async function startAnthropic(): Promise<AnthropicServer> {
  let behaviour: Behaviour = rejectsWith(500, 'api_error');
  const requests: SentRequest[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = {
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
      };
      requests.push(sent);
      behaviour(response, sent);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave: (next) => (behaviour = next),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
