import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PlayableAudio, RenderEvent } from '../../schema.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import {
  layer,
  render,
  renderBody,
  type SectionBody,
  SONG_A,
  startRenderer,
  startStorage,
  type Storage,
} from './render-fixture.ts';

const SECTIONS: SectionBody[] = [
  { bars: 2, layers: [layer(SONG_A, 'drums', -2), layer(SONG_A, 'other', -3)] },
  { bars: 2, layers: [layer(SONG_A, 'drums', -1), layer(SONG_A, 'other', -2), layer(SONG_A, 'bass', -8)] },
];
const FOLDER = 'generated/job/1-claim.parts';

const playableOf = (event: RenderEvent): PlayableAudio | undefined =>
  'playable' in event ? (event.playable as PlayableAudio) : undefined;

async function samplesOf(bytes: Buffer): Promise<Float32Array[]> {
  return (await decodeAudio(new Uint8Array(bytes), { limits: { minSec: 0, maxBytes: bytes.length } })).channels;
}

/** Ratio of the levels of two signals in decibels, and what differs beyond it, relative to the second. */
function compare(a: Float32Array, b: Float32Array): { gainDb: number; differenceDb: number } {
  let [dot, power, rest] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    dot += a[i]! * b[i]!;
    power += b[i]! ** 2;
  }
  const gain = dot / power;
  for (let i = 0; i < b.length; i++) rest += (a[i]! / gain - b[i]!) ** 2;
  return { gainDb: 20 * Math.log10(gain), differenceDb: 10 * Math.log10(rest / power) };
}

describe('a render with targets for playable parts', () => {
  let storage: Storage;
  let renderer: Awaited<ReturnType<typeof startRenderer>>;
  const targets = (kind: string, count = 6): unknown => ({
    path: FOLDER,
    uploads: Array.from({ length: count }, (_, i) => ({
      path: `${FOLDER}/${i}.flac`,
      url: `${storage.url}/${kind}/${i}.flac?token=secret`,
    })),
  });

  before(async () => {
    storage = await startStorage();
    renderer = await startRenderer();
  });
  after(() => {
    for (const { server } of [storage, renderer]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('publishes its sections in order, and parts join to the finished file at another level', async () => {
    const { events } = await render(renderer.url, renderBody(storage, SECTIONS, { parts: targets('parts') }));
    const published = events.flatMap((event) => playableOf(event) ?? []);
    const ends = published.at(-1)!.ends;
    assert.equal(ends.at(-1), published[0]!.total_frames);
    assert.ok(ends.length >= 2, `${ends.length} parts`);
    published.forEach((playable, i) => {
      assert.equal(playable.path, FOLDER);
      assert.deepEqual(playable.ends, ends.slice(0, playable.ends.length));
      assert.ok(playable.ends.length >= (published[i - 1]?.ends.length ?? 1));
    });

    const parts = storage.puts.filter(({ path }) => path.startsWith('/parts/'));
    assert.deepEqual(
      parts.map(({ path, type }) => `${path} ${type}`),
      ends.map((_, i) => `/parts/${i}.flac audio/flac`),
    );
    const decoded = await Promise.all(parts.map(({ bytes }) => samplesOf(bytes)));
    decoded.forEach(([left], i) => assert.equal(left!.length, ends[i]! - (ends[i - 1] ?? 0)));
    const joined = Float32Array.from(decoded.flatMap(([left]) => [...left!]));
    const [finished] = await samplesOf(storage.puts.at(-1)!.bytes);
    assert.equal(joined.length, finished!.length);
    const { gainDb, differenceDb } = compare(joined, finished!);
    assert.ok(Math.abs(gainDb) < 6, `${gainDb} dB`);
    // The limiter works harder on the finished file, which is louder here.
    assert.ok(differenceDb < -15, `${differenceDb} dB`);
  });

  it('finishes without parts if one is refused', async () => {
    const body = renderBody(storage, SECTIONS.slice(0, 1), { parts: targets('refused') });
    const { events } = await render(renderer.url, body);
    assert.equal(events.flatMap((event) => playableOf(event) ?? []).length, 0);
    assert.ok('storage_path' in events.at(-1)!);
  });
});
