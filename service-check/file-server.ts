/** Serves the test song and its stems, and receives uploads, as Storage does with signed URLs. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { STEMS } from '../schema/constants.ts';
import { testSong } from './test-song.ts';

/** Part of every URL of a file. A service must not repeat it in an error. */
export const TOKEN = 'SECRET-OF-A-SIGNED-URL';

export interface FileServer {
  /** URL of a file: `song.wav`, `drums.wav`, …; any other name answers 404. */
  urlOf(name: string): string;
  /** URL for an upload under a name. */
  uploadUrl(name: string): string;
  /** The uploaded bytes of a name. */
  uploaded(name: string): Buffer | undefined;
  /** Bytes of the test song. */
  song: Buffer;
  close(): Promise<void>;
}

/**
 * Starts the server.
 * @param options.host address to listen on; a service on another machine needs one that it can reach
 * @param options.publicUrl URL under which the service reaches it; default: the address
 */
export async function startFileServer(options: { host?: string; publicUrl?: string } = {}): Promise<FileServer> {
  const host = options.host ?? '127.0.0.1';
  const { mix, stems } = testSong();
  const files = new Map([['song.wav', mix], ...STEMS.map((stem) => [`${stem}.wav`, stems[stem]] as const)]);
  const uploads = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://x').pathname.slice(1);
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        uploads.set(name, Buffer.concat(chunks));
        response.end('{}');
      });
      return;
    }
    const file = files.get(name);
    if (file === undefined) response.writeHead(404).end('{"error":"not_found"}');
    else response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': file.length }).end(file);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const base = (options.publicUrl ?? `http://${host}:${(server.address() as AddressInfo).port}`).replace(/\/+$/, '');
  return {
    urlOf: (name) => `${base}/${name}?token=${TOKEN}`,
    uploadUrl: (name) => `${base}/${name}?token=${TOKEN}`,
    uploaded: (name) => uploads.get(name),
    song: mix,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
