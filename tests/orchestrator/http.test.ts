import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createServiceApp, createServiceServer, disconnectSignal, readBody } from '../../services/http/app.ts';
import { ServiceError } from '../../services/http/errors.ts';
import { streamEvents } from '../../services/http/events.ts';
import { scrubText } from '../../services/http/scrub.ts';
import { startOwnTime } from '../support/own-time.ts';

const Body = z.object({ song_id: z.string(), nested: z.object({ n: z.number() }).optional() });
const aborted: unknown[] = [];
let started: (() => void) | undefined;
let server: Server;
let base = '';

before(async () => {
  const app = createServiceApp({
    service: 'scoring',
    version: 'test-1',
    bodyLimitBytes: 100_000,
    onError: () => {},
  });
  app.post('/echo', async (context) => context.json(await readBody(context, Body)));
  app.post('/refuse', () => {
    throw new ServiceError('Too busy for https://x.test/a?token=secret', {
      status: 429,
      code: 'busy',
      hint: 'Wait.',
      retryAfterSec: 6.2,
    });
  });
  app.post('/break', () => {
    throw new Error('cannot open /home/someone/private/file.wav of https://x.test/o/a.mp3?token=secret');
  });
  app.post('/stream', (context) =>
    streamEvents(
      context,
      async (send) => {
        send({ progress: 1 });
        send({ progress: 2 });
      },
      String,
    ),
  );
  app.post('/failing-stream', (context) =>
    streamEvents(
      context,
      async (send) => {
        send({ progress: 1 });
        throw new Error('broken');
      },
      (error) => ({ error: String(error) }),
    ),
  );
  app.post('/hang', async (context) => {
    const signal = disconnectSignal(context);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        aborted.push(signal.reason);
        resolve();
      });
      started?.();
    });
    return context.json({});
  });
  app.post('/hanging-stream', (context) => {
    const signal = disconnectSignal(context);
    return streamEvents(
      context,
      (send) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason);
            resolve();
          });
          send({ progress: 1 });
          started?.();
        }),
      String,
    );
  });
  server = createServiceServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => server.close());

const post = (path: string, body: string): Promise<Response> => fetch(base + path, { method: 'POST', body });

test('health returns the service and its version', async () => {
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

test('a missing field and a wrong type are 422 with their path in the body', async () => {
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

test('a body with input nested too deep to be repeated is a 422 without that input', async () => {
  const answer = await post('/echo', `{"song_id":${'['.repeat(40_000)}${']'.repeat(40_000)}}`);
  const { detail } = (await answer.json()) as { detail: object[] };
  assert.deepEqual([answer.status, Object.keys(detail[0] ?? {})], [422, ['type', 'loc', 'msg']]);
});

test('a body that is not JSON is 422 and a body over the limit 413', async () => {
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

test('an unexpected error is a 500 without query strings and file paths', async () => {
  const answer = await post('/break', '{}');
  assert.equal(answer.status, 500);
  const { detail } = (await answer.json()) as { detail: string };
  assert.doesNotMatch(detail, /secret|someone/);
  assert.match(detail, /https:\/\/x\.test\/o\/a\.mp3/);
});

test('scrubbing does not change keys, times and fractions', () => {
  assert.equal(scrubText('key: C# minor, 3/4 at 00:10, and/or 12 dB'), 'key: C# minor, 3/4 at 00:10, and/or 12 dB');
});

test('a chunked body is read and limited', async () => {
  const chunked = (text: string): Promise<Response> =>
    fetch(`${base}/echo`, {
      method: 'POST',
      body: new Blob([text]).stream(),
      duplex: 'half',
    } as RequestInit);
  assert.deepEqual(await (await chunked('{"song_id":"ä"}')).json(), { song_id: 'ä' });
  const large = await chunked(JSON.stringify({ song_id: 'x'.repeat(150_000) }));
  assert.deepEqual([large.status, ((await large.json()) as { code: string }).code], [413, 'body_too_large']);
});

test('an event stream is data lines and blank lines', async () => {
  const response = await post('/stream', '{}');
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(await response.text(), 'data: {"progress":1}\n\ndata: {"progress":2}\n\n');
});

test('an error during an event stream becomes its last event', async () => {
  const response = await post('/failing-stream', '{}');
  assert.equal(await response.text(), 'data: {"progress":1}\n\ndata: {"error":"Error: broken"}\n\n');
});

for (const path of ['/hang', '/hanging-stream'])
  test(`a closed connection aborts the work of POST ${path}`, async () => {
    aborted.length = 0;
    const working = new Promise<void>((resolve) => (started = resolve));
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`);
    await working;
    socket.destroy();
    while (aborted.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(aborted[0] instanceof ServiceError);
  });

const scoring = fileURLToPath(new URL('../../services/scoring/main.ts', import.meta.url));

test('a process reports in one JSON line that it listens, and exits within two seconds of SIGTERM', async () => {
  const child = spawn(process.execPath, [scoring], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ready = JSON.parse(line) as { listening: boolean; service: string; port: number };
  assert.deepEqual([ready.listening, ready.service], [true, 'scoring']);
  // This leaves an idle connection open, which must not delay the exit.
  await (await fetch(`http://127.0.0.1:${ready.port}/health`)).json();
  const ownTime = startOwnTime();
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
  assert.ok(ownTime() < 2_000);
});

test('if the port is taken, the process exits with one line that says what to do', async () => {
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, [scoring], { env: { ...process.env, PORT: String(port) } });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(text.trim(), /^scoring: Port \d+ on 127\.0\.0\.1 is taken\. Stop what uses it, or set PORT\.$/);
});
