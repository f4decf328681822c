/** Services contact allowed origins only: not other hosts, not addresses of private networks, not targets of redirects. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { AudioError } from '../../audio/errors.ts';
import { fetchAudio, FetchAudioError } from '../../services/http/fetch-audio.ts';
import {
  fetchOutgoing,
  guardedLookup,
  isLoopbackHost,
  isPublicAddress,
  OriginRefusedError,
  readOutgoingPolicy,
} from '../../services/http/outgoing.ts';

/** Counts its requests, so that a test sees that a refused one was not made. */
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  if (request.url === '/away') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
  else if (request.url === '/bomb') {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(4_000_000)));
  } else response.end('content');
});
let port = 0;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
after(() => server.close());

const here = (path = '/'): URL => new URL(path, `http://127.0.0.1:${port}`);
const refusedWith = (code: string) => (error: unknown) => error instanceof OriginRefusedError && error.code === code;

describe('origins', () => {
  it('a service on loopback without configuration contacts loopback addresses only', async () => {
    const policy = readOutgoingPolicy({});
    assert.equal(await (await fetchOutgoing(here(), {}, { policy })).text(), 'content');
    for (const url of [
      'https://storage.example/',
      'http://10.0.0.1/',
      'http://169.254.169.254/latest/',
      'http://[::]/',
    ])
      await assert.rejects(fetchOutgoing(new URL(url), {}, { policy }), refusedWith('origin_not_allowed'), url);
  });

  it('a configured service contacts the project and the listed origins, and not even its own machine besides', async () => {
    const policy = readOutgoingPolicy({
      SUPABASE_URL: 'https://project.supabase.co',
      SERVICES_ALLOWED_ORIGINS: `http://127.0.0.1:${port}/any/path, https://files.example`,
    });
    assert.deepEqual([...policy.publicOnly], ['https://project.supabase.co']);
    assert.equal((await fetchOutgoing(here(), {}, { policy })).status, 200);
    requests = 0;
    for (const url of [`http://localhost:${port}/`, `http://127.0.0.1:${port + 1}/`, 'http://project.supabase.co/'])
      await assert.rejects(fetchOutgoing(new URL(url), {}, { policy }), refusedWith('origin_not_allowed'), url);
    assert.equal(requests, 0);
  });

  it('a service for other machines without configuration contacts nothing', async () => {
    const policy = readOutgoingPolicy({ HOST: '0.0.0.0' });
    await assert.rejects(fetchOutgoing(here(), {}, { policy }), refusedWith('origin_not_allowed'));
  });

  it('spellings of a refused address are refused', async () => {
    const policy = readOutgoingPolicy({ SUPABASE_URL: 'https://project.supabase.co' });
    for (const host of ['127.1', '0x7f000001', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'user@127.0.0.1'])
      await assert.rejects(
        fetchOutgoing(new URL(`http://${host}/`), {}, { policy }),
        refusedWith('origin_not_allowed'),
        host,
      );
  });

  it('a redirect is not followed', async () => {
    requests = 0;
    await assert.rejects(
      fetchOutgoing(here('/away'), {}, { policy: readOutgoingPolicy({}) }),
      refusedWith('redirect_not_allowed'),
    );
    assert.equal(requests, 1);
  });
});

describe('addresses', () => {
  it('only addresses of the public internet are public', () => {
    const isPrivate = [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ].concat(['::1', '::', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', 'nonsense']);
    assert.deepEqual(isPrivate.filter(isPublicAddress), []);
    assert.deepEqual(
      ['1.1.1.1', '2606:4700::1111'].filter((address) => !isPublicAddress(address)),
      [],
    );
    assert.deepEqual(['localhost', '127.0.0.9', '[::1]', '0.0.0.0', 'example.com'].map(isLoopbackHost), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('a name of the project that resolves to a private address is refused at the connection, also after a good answer', async () => {
    const origin = `http://project.test:${port}`;
    const policy = { trusted: new Set<string>(), publicOnly: new Set([origin]), allowsLoopback: false };
    const answers = [['1.1.1.1'], ['127.0.0.1'], ['1.1.1.1', '127.0.0.1']];
    const lookups: string[] = [];
    const lookup = guardedLookup(isPublicAddress, ((
      name: string,
      _options: object,
      callback: (error: null, found: object[]) => void,
    ) => {
      lookups.push(name);
      callback(
        null,
        (answers[lookups.length - 1] ?? []).map((address) => ({ address, family: 4 })),
      );
    }) as never);
    // The first answer is allowed; the connection to it is not made, to stay on this machine.
    lookup('project.test', { all: true }, (error, found) =>
      assert.deepEqual([error, found], [null, [{ address: '1.1.1.1', family: 4 }]]),
    );
    requests = 0;
    const agent = new Agent({ connect: { lookup } });
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(fetchOutgoing(new URL(origin), {}, { policy, agent }), refusedWith('address_not_allowed'));
    assert.deepEqual([lookups.length, requests], [3, 0]);
    await agent.close();
  });
});

describe('downloads of songs', () => {
  it('a URL that is not allowed is a fault of the request, with the code and the hint of the guard', async () => {
    await assert.rejects(fetchAudio('http://10.0.0.1/song?token=secret'), (error) => {
      assert.ok(error instanceof FetchAudioError);
      assert.deepEqual([error.fault, error.code], ['url', 'origin_not_allowed']);
      assert.match(error.hint, /SERVICES_ALLOWED_ORIGINS/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('a small response that decompresses to more than the limit is refused', async () => {
    await assert.rejects(
      fetchAudio(here('/bomb').href, { maxBytes: 1_000_000 }),
      (error) => error instanceof AudioError && error.code === 'audio_too_large',
    );
  });
});
