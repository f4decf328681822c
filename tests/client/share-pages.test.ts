/** The pages of shared mashups, made from what the function of a project answers. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createSharePages } from '../../packages/client/share-pages.ts';

const TOKEN = 'AbCdEf0123456789_-AbCdEf';
const SITE = 'https://studio.example/mashups';
const MARKUP = `"><script>globalThis.injected = 1</script><img src=x onerror='globalThis.injected = 1'>`;
const MASHUP = {
  title: 'Neon Kites',
  credits: [
    { songId: 'song-1', name: 'Neon Drive', artist: 'The Examples' },
    { songId: 'song-2', name: 'Paper Kites', artist: '' },
  ],
  duration_sec: 93.4,
  bpm: 120,
  key: 'A minor',
  format: 'wav',
  created_at: '2026-11-30T10:00:00Z',
  timeline: [{ time_start_sec: 0, duration_sec: 93.4, description: 'Intro', energy_level: 0.5, layers: [] }],
  peaks: [0.5, 1],
};

/** The values of the page's `meta` elements by property or name, with entities resolved. */
function metaOf(text: string): Record<string, string> {
  const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return Object.fromEntries(
    [...text.matchAll(/<meta (?:property|name)="([^"]*)" content="([^"]*)" \/>/g)].map(([, name, content = '']) => [
      name,
      content.replace(/&([a-z]+|#39);/g, (_, entity: string) => ENTITIES[entity] ?? ''),
    ]),
  );
}

describe('the pages of shared mashups', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let url = '';
  let asked: string[] = [];
  const project = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  before(async () => {
    await new Promise<void>((resolve) => project.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(project.address() as AddressInfo).port}`;
  });
  after(() => project.close());
  beforeEach(() => (asked = []));

  const answerWith = (status: number, body: unknown, headers = {}): void => {
    answer = (_, response) =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
  const pages = (more = {}) => createSharePages({ supabaseUrl: url, siteUrl: SITE, timeoutMs: 30_000, ...more });
  async function get(path: string, init: RequestInit = {}): Promise<{ response: Response; text: string }> {
    const response = await pages()(new Request(`https://inner.example${path}`, init));
    assert.ok(response !== null, path);
    return { response, text: await response.text() };
  }

  it('show title, credits, facts, cover and a player that needs no script', async () => {
    answerWith(200, MASHUP);
    const { response, text } = await get(`/mashups/s/${TOKEN}`);
    assert.equal(response.status, 200);
    assert.deepEqual(asked, [`/functions/v1/shared-mashup?token=${TOKEN}`]);
    assert.match(text, /<title>Neon Kites · Mashup studio<\/title>/);
    for (const part of ['“Neon Drive” by The Examples', '“Paper Kites”<', '1:33 · 120 bpm · A minor', '0:00 Intro'])
      assert.ok(text.includes(part), part);
    assert.match(text, new RegExp(`<audio controls preload="none" src="${url}/functions/v1/shared-audio\\?token=`));
    assert.match(text, /<a href="\/mashups\/">Mashup studio<\/a>/);
  });

  it('write keys as musicians do, and have screen readers read flats and sharps as words', async () => {
    for (const [key, sign, words] of [
      ['Bb major', 'B♭', 'B flat'],
      ['F# minor', 'F♯', 'F sharp'],
    ] as const) {
      answerWith(200, { ...MASHUP, key });
      const { text } = await get(`/s/${TOKEN}`);
      const mode = key.split(' ')[1];
      assert.ok(
        text.includes(
          `<span aria-hidden="true">${sign}</span><span class="sr-only select-none">${words}</span> ${mode}`,
        ),
        key,
      );
      assert.ok(metaOf(text)['og:description']?.endsWith(`${sign} ${mode}.`));
    }
  });

  it('tell other programs what they are by Open Graph and card tags', async () => {
    answerWith(200, MASHUP);
    const { text } = await get(`/mashups/s/${TOKEN}`);
    const meta = metaOf(text);
    const description = 'A mashup of “Neon Drive” by The Examples and “Paper Kites”. 1:33, 120 bpm, A minor.';
    const expected = {
      'og:type': 'music.song',
      'og:site_name': 'Mashup studio',
      'og:title': 'Neon Kites',
      'og:description': description,
      'og:url': `${SITE}/s/${TOKEN}`,
      'og:image': `${url}/functions/v1/shared-cover?token=${TOKEN}`,
      'og:image:width': '1200',
      'og:image:height': '630',
      'og:image:alt': 'The waveforms of the songs of “Neon Kites”',
      'og:audio': `${url}/functions/v1/shared-audio?token=${TOKEN}`,
      'og:audio:type': 'audio/wav',
      'music:duration': '93',
      description,
      'twitter:card': 'player',
      'twitter:player': `${SITE}/embed/${TOKEN}`,
      robots: 'noindex',
      referrer: 'no-referrer',
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(meta[name], value, name);
    assert.match(text, new RegExp(`<link rel="canonical" href="${SITE}/s/${TOKEN}" />`));
  });

  it('name no artist that is unknown, and round the length like the player', async () => {
    const [song] = MASHUP.credits;
    answerWith(200, { ...MASHUP, duration_sec: 59.6, credits: [{ ...song, artist: 'Unknown artist' }] });
    const { text } = await get(`/s/${TOKEN}`);
    assert.equal(metaOf(text)['og:description'], 'A mashup of “Neon Drive”. 1:00, 120 bpm, A minor.');
    assert.doesNotMatch(text, /Unknown artist/);
  });

  it('show whole descriptions, and cut no character in two', async () => {
    const description = `${'word '.repeat(79)}end.`;
    const title = `${'a'.repeat(399)}🎧`;
    answerWith(200, { ...MASHUP, title, timeline: [{ ...MASHUP.timeline[0], description }] });
    const { text } = await get(`/s/${TOKEN}`);
    assert.ok(text.includes(description));
    assert.equal(metaOf(text)['og:title'], 'a'.repeat(399));
  });

  it('tell their script the cover, for what the system shows of the player', async () => {
    answerWith(200, MASHUP);
    for (const kind of ['s', 'embed']) {
      const { text } = await get(`/${kind}/${TOKEN}`);
      const data = /<script type="application\/json"[^>]*>([^<]*)<\/script>/.exec(text)?.[1] ?? '';
      const { coverUrl } = JSON.parse(data) as { coverUrl: string };
      assert.equal(coverUrl, `${url}/functions/v1/shared-cover?token=${TOKEN}`);
    }
  });

  it('contain texts of users as text, in elements, attributes and data', async () => {
    const song = { songId: MARKUP, name: MARKUP, artist: `\u202e${MARKUP}\u0000` };
    const section = { ...MASHUP.timeline[0], description: MARKUP, layers: [{ songId: MARKUP, stem: MARKUP }] };
    answerWith(200, { ...MASHUP, title: MARKUP, key: MARKUP, credits: [song], timeline: [section] });
    for (const kind of ['s', 'embed']) {
      const { text } = await get(`/${kind}/${TOKEN}`);
      assert.doesNotMatch(text, /<script>|<img src=x|\u202e|\u0000/);
      assert.equal(text.match(/<script/g)?.length, 3, 'colours, script and data');
      const data = /<script type="application\/json"[^>]*>([^<]*)<\/script>/.exec(text)?.[1] ?? '';
      assert.equal((JSON.parse(data) as { title: string }).title, MARKUP);
    }
    assert.equal(metaOf((await get(`/s/${TOKEN}`)).text)['og:title'], MARKUP);
  });

  it('have a strict policy, tell no other site their address, and are kept by no cache', async () => {
    answerWith(200, MASHUP);
    const page = (await get(`/s/${TOKEN}`)).response.headers;
    const policy = page.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.ok(policy.includes(`media-src 'self' ${url};`), policy);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|connect-src|\*/);
    const { 'referrer-policy': referrer, 'cache-control': cache, 'x-robots-tag': robots } = Object.fromEntries(page);
    assert.deepEqual([referrer, cache, robots], ['no-referrer', 'no-store', 'noindex']);
    assert.equal(page.get('set-cookie'), null);
    const embed = (await get(`/embed/${TOKEN}`)).response.headers;
    assert.match(embed.get('content-security-policy') ?? '', /frame-ancestors \*/);
  });

  it('are the same for every link without a mashup, and an impossible token is not asked for', async () => {
    answerWith(404, { error: 'secret reason', code: 'share_not_found', hint: '' });
    const unknown = await get(`/s/${TOKEN}`);
    const impossible = await get('/s/..%2f..%2fetc');
    assert.deepEqual([unknown.response.status, impossible.response.status, asked.length], [404, 404, 1]);
    assert.equal(unknown.text, impossible.text);
    assert.doesNotMatch(unknown.text, /secret reason|<audio/);
  });

  it('say when to come back if there are too many visitors, or the project does not answer', async () => {
    answerWith(429, {}, { 'retry-after': '17' });
    const busy = await get(`/s/${TOKEN}`);
    assert.deepEqual([busy.response.status, busy.response.headers.get('retry-after')], [429, '17']);
    assert.match(busy.text, /in 17 seconds/);
    for (const [after, words] of [
      ['1', 'in 1 second.'],
      ['60', 'in 60 seconds.'],
      ['600', 'in 10 minutes.'],
    ] as const) {
      answerWith(429, {}, { 'retry-after': after });
      assert.ok((await get(`/s/${TOKEN}`)).text.includes(words), words);
    }
    for (const body of [null, { title: 'No length' }, []]) {
      answerWith(200, body);
      assert.equal((await get(`/s/${TOKEN}`)).response.status, 503);
    }
    answerWith(500, { error: 'secret reason' });
    const failed = await get(`/s/${TOKEN}`);
    assert.equal(failed.response.status, 503);
    assert.match(failed.response.headers.get('retry-after') ?? '', /^\d+$/);
    assert.doesNotMatch(failed.text, /secret reason/);
    answer = (_, response) => void response.destroy();
    assert.equal((await get(`/s/${TOKEN}`)).response.status, 503);
    const silent = createSharePages({ supabaseUrl: url, timeoutMs: 10 });
    answer = () => {};
    assert.equal((await silent(new Request(`https://studio.example/s/${TOKEN}`)))?.status, 503);
    project.closeAllConnections();
  });

  it('answer methods that would write by 405 with the methods that they have, and ask the project nothing', async () => {
    for (const kind of ['s', 'embed'])
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { response } = await get(`/${kind}/${TOKEN}`, { method });
        assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], `${method} ${kind}`);
      }
    assert.deepEqual(asked, []);
  });

  it('answer HEAD without a body, and leave other paths to the host', async () => {
    answerWith(200, MASHUP);
    const { response, text } = await get(`/s/${TOKEN}`, { method: 'HEAD' });
    assert.deepEqual([response.status, text], [200, '']);
    const handle = pages();
    for (const [path, method] of [
      ['/', 'GET'],
      ['/share', 'POST'],
      [`/s/${TOKEN}/more`, 'GET'],
      ['/share/page.js', 'GET'],
    ])
      assert.equal(await handle(new Request(`https://studio.example${path}`, { method })), null, path);
  });

  it('have the origin of the request where no site is given', async () => {
    answerWith(200, MASHUP);
    const handle = createSharePages({ supabaseUrl: `${url}/`, siteName: 'Our <studio>' });
    const text = (await (await handle(new Request(`http://here.example:8080/s/${TOKEN}/`)))?.text()) ?? '';
    const meta = metaOf(text);
    assert.deepEqual(
      [meta['og:url'], meta['og:site_name'], meta['twitter:card'], meta['twitter:player']],
      [`http://here.example:8080/s/${TOKEN}`, 'Our <studio>', 'summary_large_image', undefined],
    );
  });
});
