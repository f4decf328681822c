/** Shared by the benchmarks of the audio services: a store of files over HTTP, and calls. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a server on a free port and returns its URL. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that stores the files of PUT requests and returns them to GET requests. */
export function fileServer(files: Map<string, Uint8Array>): Server {
  return createServer((request, response) => {
    const path = request.url ?? '';
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        files.set(path, Buffer.concat(chunks));
        response.end('{}');
      });
      return;
    }
    const file = files.get(path);
    response.statusCode = file ? 200 : 404;
    response.end(file);
  });
}

/** Posts JSON and returns the text of the response. @throws Error with the beginning of a refusal */
export async function post(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} returned ${response.status}: ${text.slice(0, 200)}`);
  return text;
}
