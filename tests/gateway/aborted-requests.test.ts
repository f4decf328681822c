/**
 * Callers that disconnect during a request, functions whose responses are not HTTP, and values that cannot be serialized: an
 * unhandled error would end the gateway.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const LIMIT = 1_000;
const PART_BYTES = 16 * 1024 * 1024;
/** A broken connection never gets a response. */
const TIMEOUT_MS = 2_000;
const SETUP = `
  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values ('songs', 'songs', false, ${LIMIT}, '{audio/*}');`;

/** Stands for the Deno runner: sends these bytes as its response. */
let runnerResponse = '';
const functions = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(runnerResponse, 'latin1'));
});
functions.listen(0, '127.0.0.1');
await once(functions, 'listening');
after(() => void functions.close());

const functionsUrl = `http://127.0.0.1:${(functions.address() as AddressInfo).port}`;
const fixture = await useGateway({ after }, { setup: SETUP, config: { functionsUrl } });
const { port } = new URL(fixture.url);

/** Errors that would have ended a gateway process. This one runs in the test's process, where they are caught. */
const unhandled: unknown[] = [];
process.on('uncaughtException', (error) => unhandled.push(error));
process.on('unhandledRejection', (error) => unhandled.push(error));

async function assertAlive(): Promise<void> {
  assert.deepEqual(unhandled.splice(0), []);
  assert.equal((await fixture.fetch('/auth/v1/.well-known/jwks.json')).status, 200);
}

describe('a rejected upload', { skip: LOCAL_ONLY }, () => {
  const REFUSED: [string, string, number][] = [
    ['for its type', 'text/plain', 100],
    ['for its size', 'audio/wav', 5 * LIMIT],
  ];
  for (const [why, type, size] of REFUSED) {
    it(`${why} may be aborted: only its connection ends`, async () => {
      const key = fixture.keys.serviceRoleKey;
      const head = `--EDGE\r\ncontent-disposition: form-data; name=""; filename="a"\r\ncontent-type: ${type}\r\n\r\n`;
      const upload = (length: number): string =>
        `POST /storage/v1/object/songs/a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: multipart/form-data; boundary=EDGE\r\ncontent-length: ${length}\r\n\r\n${head}`;
      const cut = connect(Number(port), '127.0.0.1');
      cut.write(upload(2 * PART_BYTES));
      // The system's buffers are smaller: when all is sent, the rejected body is being discarded.
      await new Promise((resolve) => cut.write(Buffer.alloc(PART_BYTES), resolve));
      cut.resetAndDestroy();
      await assertAlive();
      const short = connect(Number(port), '127.0.0.1');
      short.write(upload(head.length + size));
      short.write(Buffer.alloc(size));
      const [response] = (await once(short, 'data')) as [Buffer];
      assert.match(response.toString(), /^HTTP\/1.1 400 /);
      await assertAlive();
      short.destroy();
    });
  }
});

describe('a function whose response is not valid HTTP', { skip: LOCAL_ONLY }, () => {
  const ANSWERS: [string, string][] = [
    ['has a status below 100', 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['changes the protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
    ['is not HTTP', 'what?\r\n\r\n'],
  ];
  for (const [what, text] of ANSWERS) {
    it(`gives 503 BOOT_ERROR where it ${what}`, async () => {
      runnerResponse = text;
      const response = await fixture.fetch('/functions/v1/odd', { signal: AbortSignal.timeout(TIMEOUT_MS) });
      assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [503, 'BOOT_ERROR']);
      await assertAlive();
    });
  }

  it('may reject a body unread: the next request on the connection gets its response', async () => {
    runnerResponse = 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n';
    const socket = connect(Number(port), '127.0.0.1');
    let received = '';
    socket.on('data', (data: Buffer) => (received += data.toString()));
    const responses = (): number => received.split('HTTP/1.1 413 ').length - 1;
    const size = 4 * 1024 * 1024;
    socket.write(`POST /functions/v1/odd HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
    await until('it is rejected', () => responses() === 1);
    socket.write('GET /functions/v1/odd HTTP/1.1\r\nhost: x\r\n\r\n');
    const start = performance.now();
    await until('the next request has its response', () => responses() === 2 || performance.now() - start > TIMEOUT_MS);
    assert.equal(responses(), 2);
    socket.destroy();
    await assertAlive();
  });

  it('is forwarded with control characters removed from its reason', async () => {
    runnerResponse = 'HTTP/1.1 200 so\x01so\r\ncontent-length: 2\r\n\r\nok';
    const response = await fixture.fetch('/functions/v1/odd', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    assert.deepEqual([response.status, response.statusText, await response.text()], [200, 'so so', 'ok']);
    await assertAlive();
  });
});

describe('JSON that is nested too deeply to serialize again', { skip: LOCAL_ONLY }, () => {
  const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

  it('is rejected as a body', async () => {
    const send = async (path: string, body: string): Promise<number> =>
      (await fixture.fetch(path, { method: 'POST', body })).status;
    assert.equal(await send('/auth/v1/signup', `{"data":{"deep":${DEEP}}}`), 400);
    const message = `{"topic":"room","event":"e","payload":${DEEP}}`;
    assert.equal(await send('/realtime/v1/api/broadcast', `{"messages":[${message}]}`), 422);
  });

  it('is ignored as a frame: other members of the channel receive nothing, not even when the sender disconnects', async () => {
    const received: string[] = [];
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(
        `ws://127.0.0.1:${port}/realtime/v1/websocket?apikey=${fixture.keys.anonKey}&vsn=2.0.0`,
      );
      await once(socket, 'open');
      socket.send(JSON.stringify(['1', '1', 'realtime:room', 'phx_join', { config: { presence: { enabled: true } } }]));
      await once(socket, 'message');
      return socket;
    };
    const listener = await open();
    listener.on('message', (data: Buffer) => received.push(data.toString()));
    const sender = await open();
    for (const event of ['broadcast', 'presence'])
      sender.send(`["1","2","realtime:room","${event}",{"event":"track","payload":{"deep":${DEEP}}}]`);
    sender.send(JSON.stringify(['1', '3', 'realtime:room', 'broadcast', { event: 'last', payload: {} }]));
    await until('the later broadcast is received', () => received.some((text) => text.includes('"last"')));
    sender.close();
    await once(sender, 'close');
    listener.send(JSON.stringify([null, '4', 'phoenix', 'heartbeat', {}]));
    await until('the heartbeat has its reply', () => received.some((text) => text.includes('"4"')));
    await assertAlive();
    assert.doesNotMatch(received.join(), /presence_diff|deep/);
    listener.close();
  });
});
