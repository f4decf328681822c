import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createServiceServer, openEventStream, scrubText, ServiceError } from '../../services/http/http.ts';

const Body = z.object({ song_id: z.string(), nested: z.object({ n: z.number() }).optional() });
const aborted: string[] = [];
let hanging: (() => void) | undefined;
let server: Server;
let base = '';

before(async () => {
  server = createServiceServer({
    service: 'scoring',
    version: 'test-1',
    bodyLimitBytes: 100_000,
    onError: () => {},
    routes: {
      'POST /echo': ({ body }) => Body.parse(body),
      'POST /refuse': () => {
        throw new ServiceError('Too busy for https://x.test/a?token=secret', {
          status: 429,
          code: 'busy',
          hint: 'Wait.',
          retryAfterSec: 6.2,
        });
      },
      'POST /break': () => {
        throw new Error('cannot open /home/someone/private/file.wav of https://x.test/o/a.mp3?token=secret');
      },
      'POST /stream': ({ response }) => {
        const stream = openEventStream(response);
        stream.send({ progress: 1 });
        stream.send({ progress: 2 });
        stream.end();
      },
      'POST /hang': ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted.push('hang');
            resolve(undefined);
          });
          hanging?.();
        }),
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => server.close());

const post = (path: string, body: string): Promise<Response> => fetch(base + path, { method: 'POST', body });

test('health names the service and its version', async () => {
  assert.deepEqual(await (await fetch(`${base}/health`)).json(), {
    status: 'ok',
    service: 'scoring',
    version: 'test-1',
  });
});

test('an unknown path is 404 and a known path with another method 405', async () => {
  const missing = await post('/nothing', '{}');
  assert.deepEqual([missing.status, await missing.json()], [404, { detail: 'Not Found' }]);
  const wrong = await fetch(`${base}/echo`);
  assert.deepEqual([wrong.status, await wrong.json()], [405, { detail: 'Method Not Allowed' }]);
});

test('a missing field and a wrong type are 422 with their place in the body', async () => {
  const missing = await post('/echo', '{}');
  assert.equal(missing.status, 422);
  assert.deepEqual(await missing.json(), {
    detail: [{ type: 'missing', loc: ['body', 'song_id'], msg: 'Field required' }],
  });
  const wrong = (await (await post('/echo', '{"song_id":"a","nested":{"n":"x"}}')).json()) as {
    detail: { loc: string[]; input: unknown }[];
  };
  assert.deepEqual(wrong.detail[0]?.loc, ['body', 'nested', 'n']);
  assert.equal(wrong.detail[0]?.input, 'x');
});

test('a body that is nested too deep to be repeated is 422 as any other that does not fit', async () => {
  const answer = await post('/echo', `{"song_id":${'['.repeat(40_000)}${']'.repeat(40_000)}}`);
  const { detail } = (await answer.json()) as { detail: object[] };
  assert.deepEqual([answer.status, Object.keys(detail[0] ?? {})], [422, ['type', 'loc', 'msg']]);
});

test('a body that is no JSON is 422 and one over the limit 413', async () => {
  assert.equal((await post('/echo', '{"song_id":')).status, 422);
  const large = await post('/echo', JSON.stringify({ song_id: 'x'.repeat(150_000) }));
  assert.equal(large.status, 413);
  assert.equal(((await large.json()) as { code: string }).code, 'body_too_large');
});

test('a service error keeps its status, code, hint and Retry-After, without tokens', async () => {
  const answer = await post('/refuse', '{}');
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '7');
  assert.deepEqual(await answer.json(), { detail: 'Too busy for https://x.test/a', code: 'busy', hint: 'Wait.' });
});

test('an unforeseen error is a 500 without query strings and paths of the machine', async () => {
  const answer = await post('/break', '{}');
  assert.equal(answer.status, 500);
  const { detail } = (await answer.json()) as { detail: string };
  assert.doesNotMatch(detail, /secret|someone/);
  assert.match(detail, /https:\/\/x\.test\/o\/a\.mp3/);
});

test('scrubbing leaves keys, times and fractions alone', () => {
  assert.equal(scrubText('key: C# minor, 3/4 at 00:10, and/or 12 dB'), 'key: C# minor, 3/4 at 00:10, and/or 12 dB');
});

test('an event stream is data lines and blank lines', async () => {
  const answer = await post('/stream', '{}');
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(await answer.text(), 'data: {"progress":1}\n\ndata: {"progress":2}\n\n');
});

test('a closed connection aborts the work', async () => {
  const started = new Promise<void>((resolve) => (hanging = resolve));
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write('POST /hang HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
  await started;
  socket.destroy();
  while (aborted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(aborted, ['hang']);
});

const scoring = fileURLToPath(new URL('../../services/scoring/main.ts', import.meta.url));

test('a process says in one JSON line that it listens, and ends within two seconds of SIGTERM', async () => {
  const child = spawn(process.execPath, [scoring], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ready = JSON.parse(line) as { listening: boolean; service: string; port: number };
  assert.deepEqual([ready.listening, ready.service], [true, 'scoring']);
  // A connection that stays open must not hold the process.
  await (await fetch(`http://127.0.0.1:${ready.port}/health`)).json();
  const told = performance.now();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  assert.ok(performance.now() - told < 2_000);
});

test('a port that is taken ends the process with one clear line', async () => {
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, [scoring], { env: { ...process.env, PORT: String(port) } });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(text.trim(), /^scoring: Port \d+ on 127\.0\.0\.1 is taken\. Stop what uses it, or set PORT\.$/);
});
