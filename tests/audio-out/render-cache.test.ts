import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readCacheFile, writeCacheFile } from '../../services/processing/files/cache-file.ts';
import { RenderCache } from '../../services/processing/files/render-cache.ts';
import { limitThreads } from '../../services/processing/threads/thread-pool.ts';
import { layer, render, renderBody, SONG_A, startRenderer, startStorage, type Storage } from './render-fixture.ts';

const MB = 2 ** 20;
const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'render-cache-'));
  folders.push(folder);
  return folder;
}

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('a file of the render cache', () => {
  const path = join(newFolder(), 'file');
  const channels = [Float32Array.from([1, 2]), Float32Array.from([3, 4])];

  it('holds a value and samples exactly', async () => {
    writeCacheFile(path, { levels: Float32Array.from([0.1]), none: undefined }, channels);
    const sound = (await readCacheFile(path))!;
    assert.deepEqual(sound.value, { levels: Float32Array.from([0.1]), none: undefined });
    assert.deepEqual(sound.channels, channels);
    assert.equal(sound.frames, 2);
    writeCacheFile(path, 1.5, []);
    assert.deepEqual([(await readCacheFile(path))!.value, (await readCacheFile(path))!.frames], [1.5, 0]);
  });

  it('counts as absent if it is cut or changed', async () => {
    writeCacheFile(path, null, channels);
    truncateSync(path, 20);
    assert.equal(await readCacheFile(path), null);
    writeFileSync(path, '');
    assert.equal(await readCacheFile(path), null);
    assert.equal(await readCacheFile(`${path}-of-nobody`), null);
  });
});

describe('the render cache', () => {
  it('deletes what was not used for the longest time', async () => {
    const folder = newFolder();
    const cache = RenderCache.open(folder, 2.5 * MB)!;
    const samples = [new Float32Array(MB / 8), new Float32Array(MB / 8)];
    const add = (key: string): void => {
      writeCacheFile(cache.pathOf(key), null, samples);
      cache.added(cache.pathOf(key));
    };
    add('first');
    add('second');
    assert.ok(await cache.read(cache.pathOf('first')));
    add('third');
    assert.equal(await cache.read(cache.pathOf('second')), null);
    assert.ok(await cache.read(cache.pathOf('first')));
    assert.equal(readdirSync(folder).length, 2);
    RenderCache.open(folder, 1.5 * MB);
    assert.equal(readdirSync(folder).length, 1);
  });

  it('counts what can be neither read nor deleted as absent', async () => {
    const cache = RenderCache.open(newFolder(), MB)!;
    mkdirSync(cache.pathOf('key'));
    assert.equal(await cache.read(cache.pathOf('key')), null);
  });

  it('is not used in a folder that others can read, or with a size of 0', () => {
    const folder = newFolder();
    assert.equal(RenderCache.open(folder, 0), undefined);
    if (process.getuid === undefined) return;
    chmodSync(folder, 0o755);
    assert.equal(RenderCache.open(folder, MB), undefined);
  });
});

describe('iterations', () => {
  const folder = newFolder();
  let storage: Storage;
  let url: string;
  const servers: Server[] = [];

  before(async () => {
    storage = await startStorage();
    const cached = await startRenderer({ cache: RenderCache.open(folder, 512 * MB) });
    servers.push(storage.server, cached.server);
    url = cached.url;
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  const plan = (drumsDb: number): unknown =>
    renderBody(storage, [
      { bars: 2, layers: [layer(SONG_A, 'drums'), layer(SONG_A, 'bass')] },
      { bars: 2, layers: [layer(SONG_A, 'drums', drumsDb), layer(SONG_A, 'other')] },
    ]);

  /** Renders and returns the file and the number of whole stems that were downloaded. */
  async function renderPlan(at: string, drumsDb: number): Promise<{ file: Buffer; downloads: number }> {
    const before = storage.requests.length;
    const { events } = await render(at, plan(drumsDb));
    assert.ok('result' in events.at(-1)!, JSON.stringify(events.at(-1)));
    const isDownload = ({ method, headers }: (typeof storage.requests)[number]): boolean =>
      method === 'GET' && headers.range === undefined;
    return { file: storage.puts.at(-1)!.bytes, downloads: storage.requests.slice(before).filter(isDownload).length };
  }

  let rendered: Buffer;

  it('download and stretch nothing again, and have the bytes of a render without a cache', async () => {
    assert.ok((await renderPlan(url, 0)).downloads > 0);
    const iteration = await renderPlan(url, -3);
    assert.equal(iteration.downloads, 0);
    const uncached = await startRenderer();
    servers.push(uncached.server);
    rendered = (await renderPlan(uncached.url, -3)).file;
    assert.ok(rendered.equals(iteration.file));
  });

  it('have the same bytes with one thread as with several', async () => {
    const uncached = await startRenderer();
    servers.push(uncached.server);
    limitThreads(1);
    try {
      assert.ok((await renderPlan(uncached.url, -3)).file.equals(rendered));
    } finally {
      limitThreads(availableParallelism());
    }
  });

  it('render what is broken in the cache', async () => {
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'broken');
    const { file, downloads } = await renderPlan(url, -3);
    assert.ok(downloads > 0 && file.equals(rendered));
  });

  it('render stems again that changed or that the caller may not read', async () => {
    storage.files.set(`/${SONG_A.id}/bass.wav`, storage.files.get(`/${SONG_A.id}/other.wav`)!.slice());
    storage.files.get(`/${SONG_A.id}/bass.wav`)![1000]! ^= 1;
    assert.ok((await renderPlan(url, -3)).downloads > 0);
    storage.files.delete(`/${SONG_A.id}/bass.wav`);
    const { events } = await render(url, plan(-3));
    assert.ok('error' in events.at(-1)!);
  });
});
