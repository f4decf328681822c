/**
 * Callers that go in the middle, functions that say what HTTP does not know, and values that cannot be written: what nobody
 * listens for would end the gateway.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';

const LIMIT = 1_000;
const READ_ON = 16 * 1024 * 1024;
/** What is broken never answers. */
const PATIENCE_MS = 2_000;
const SETUP = `
  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values ('songs', 'songs', false, ${LIMIT}, '{audio/*}');`;

/** Where the Deno runner is: says whatever it is told to, byte by byte. */
let said = '';
const functions = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(said, 'latin1'));
});
functions.listen(0, '127.0.0.1');
await once(functions, 'listening');
after(() => void functions.close());

const functionsUrl = `http://127.0.0.1:${(functions.address() as AddressInfo).port}`;
const world = await useGateway({ after }, { setup: SETUP, config: { functionsUrl } });
const { port } = new URL(world.url);

/** What would have ended the gateway, were it not in the test's own process: there the runner catches it. */
const faults: unknown[] = [];
process.on('uncaughtException', (error) => faults.push(error));
process.on('unhandledRejection', (error) => faults.push(error));

async function assertAlive(): Promise<void> {
  assert.deepEqual(faults.splice(0), []);
  assert.equal((await world.fetch('/auth/v1/.well-known/jwks.json')).status, 200);
}

describe('an upload that is refused', { skip: LOCAL_ONLY }, () => {
  const REFUSED: [string, string, number][] = [
    ['for its type', 'text/plain', 100],
    ['for its size', 'audio/wav', 5 * LIMIT],
  ];
  for (const [why, type, size] of REFUSED) {
    it(`${why} may break off, and only its connection ends`, async () => {
      const key = world.keys.serviceRoleKey;
      const head = `--EDGE\r\ncontent-disposition: form-data; name=""; filename="a"\r\ncontent-type: ${type}\r\n\r\n`;
      const upload = (length: number): string =>
        `POST /storage/v1/object/songs/a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: multipart/form-data; boundary=EDGE\r\ncontent-length: ${length}\r\n\r\n${head}`;
      const cut = connect(Number(port), '127.0.0.1');
      cut.write(upload(2 * READ_ON));
      // The system's buffers hold less: when all of it is sent, the refused body is being read on.
      await new Promise((resolve) => cut.write(Buffer.alloc(READ_ON), resolve));
      cut.resetAndDestroy();
      await assertAlive();
      const short = connect(Number(port), '127.0.0.1');
      short.write(upload(head.length + size));
      short.write(Buffer.alloc(size));
      const [answer] = (await once(short, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1.1 400 /);
      await assertAlive();
      short.destroy();
    });
  }
});

describe('a function whose answer is none', { skip: LOCAL_ONLY }, () => {
  const ANSWERS: [string, string][] = [
    ['has a status below 100', 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['changes the protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
    ['is not HTTP', 'what?\r\n\r\n'],
  ];
  for (const [what, text] of ANSWERS) {
    it(`is told as one that does not run where it ${what}`, async () => {
      said = text;
      const answer = await world.fetch('/functions/v1/odd', { signal: AbortSignal.timeout(PATIENCE_MS) });
      assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [503, 'BOOT_ERROR']);
      await assertAlive();
    });
  }

  it('may refuse a body unread: the next request on the connection is answered', async () => {
    said = 'HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n';
    const socket = connect(Number(port), '127.0.0.1');
    let heard = '';
    socket.on('data', (data: Buffer) => (heard += data.toString()));
    const answers = (): number => heard.split('HTTP/1.1 413 ').length - 1;
    const size = 4 * 1024 * 1024;
    socket.write(`POST /functions/v1/odd HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size));
    await until('it is refused', () => answers() === 1);
    socket.write('GET /functions/v1/odd HTTP/1.1\r\nhost: x\r\n\r\n');
    const start = performance.now();
    await until('the next one is answered', () => answers() === 2 || performance.now() - start > PATIENCE_MS);
    assert.equal(answers(), 2);
    socket.destroy();
    await assertAlive();
  });

  it('passes with its reason made readable', async () => {
    said = 'HTTP/1.1 200 so\x01so\r\ncontent-length: 2\r\n\r\nok';
    const answer = await world.fetch('/functions/v1/odd', { signal: AbortSignal.timeout(PATIENCE_MS) });
    assert.deepEqual([answer.status, answer.statusText, await answer.text()], [200, 'so so', 'ok']);
    await assertAlive();
  });
});

describe('what is nested deeper than it could be written again', { skip: LOCAL_ONLY }, () => {
  const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

  it('is no body', async () => {
    const send = async (path: string, body: string): Promise<number> =>
      (await world.fetch(path, { method: 'POST', body })).status;
    assert.equal(await send('/auth/v1/signup', `{"data":{"deep":${DEEP}}}`), 400);
    const message = `{"topic":"room","event":"e","payload":${DEEP}}`;
    assert.equal(await send('/realtime/v1/api/broadcast', `{"messages":[${message}]}`), 422);
  });

  it('is no frame: the others on the channel hear nothing of it, neither then nor when its sender goes', async () => {
    const heard: string[] = [];
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(
        `ws://127.0.0.1:${port}/realtime/v1/websocket?apikey=${world.keys.anonKey}&vsn=2.0.0`,
      );
      await once(socket, 'open');
      socket.send(JSON.stringify(['1', '1', 'realtime:room', 'phx_join', { config: { presence: { enabled: true } } }]));
      await once(socket, 'message');
      return socket;
    };
    const listener = await open();
    listener.on('message', (data: Buffer) => heard.push(data.toString()));
    const sender = await open();
    for (const event of ['broadcast', 'presence'])
      sender.send(`["1","2","realtime:room","${event}",{"event":"track","payload":{"deep":${DEEP}}}]`);
    sender.send(JSON.stringify(['1', '3', 'realtime:room', 'broadcast', { event: 'last', payload: {} }]));
    await until('what came after it is heard', () => heard.some((text) => text.includes('"last"')));
    sender.close();
    await once(sender, 'close');
    listener.send(JSON.stringify([null, '4', 'phoenix', 'heartbeat', {}]));
    await until('what it was told then is written', () => heard.some((text) => text.includes('"4"')));
    await assertAlive();
    assert.doesNotMatch(heard.join(), /presence_diff|deep/);
    listener.close();
  });
});
