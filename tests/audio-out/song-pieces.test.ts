/** Rendering songs of which only parts were separated. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { RenderResult, type Stem, STEMS } from '../../schema.ts';
import {
  layer,
  render,
  renderBody,
  type SectionBody,
  SONG_A,
  SONG_B,
  startRenderer,
  startStorage,
  type Storage,
} from './render-fixture.ts';

let storage: Storage;
let renderer: Awaited<ReturnType<typeof startRenderer>>;
before(async () => {
  storage = await startStorage();
  renderer = await startRenderer();
});
after(() => {
  for (const server of [storage.server, renderer.server]) {
    server.closeAllConnections();
    server.close();
  }
});

/** Both songs play from about 5 s to 15 s. No voice sings, so that nothing is corrected. */
const SECTIONS: SectionBody[] = [
  {
    bars: 2,
    layers: [
      layer(SONG_A, 'drums', -3, { source_start_sec: 5.1 }),
      layer(SONG_B, 'other', -3, { source_start_sec: 4.4 }),
    ],
  },
  {
    bars: 2,
    layers: [
      layer(SONG_A, 'drums', -3, { source_start_sec: 9.9 }),
      layer(SONG_B, 'bass', -3, { source_start_sec: 8.7 }),
      layer(SONG_B, 'other', -3, { source_start_sec: 8.7 }),
    ],
  },
];

/** The body of a render whose stems hold only `spans` of the songs; whole without them. */
function bodyOf(spans?: [number, number][]): unknown {
  const body = renderBody(storage, SECTIONS) as { songs: { stems: Record<Stem, unknown> }[] };
  if (spans) {
    for (const { stems } of body.songs)
      for (const stem of STEMS) {
        const url = String(stems[stem]);
        stems[stem] = spans.map(([from, to]) => {
          return { start_sec: from, end_sec: to, urls: [`${url}&from=${from}&to=${to}`] };
        });
      }
  }
  return body;
}

test('a mashup of pieces that overlap or follow one another is that of whole stems', async () => {
  const rendered = async (body: unknown): Promise<{ result: RenderResult; left: Float32Array }> => {
    const last = (await render(renderer.url, body)).events.at(-1)!;
    const result = RenderResult.parse((last as Record<string, unknown>)['result']);
    return { result, left: (await decodeAudio(storage.puts.at(-1)!.bytes)).channels[0] };
  };
  const whole = await rendered(bodyOf());
  const pieces = await rendered(
    bodyOf([
      [2, 8],
      [6, 10],
      [10, 18],
    ]),
  );
  assert.equal(pieces.left.length, whole.left.length);
  const power = whole.left.reduce((sum, value) => sum + value * value, 0);
  const error = whole.left.reduce((sum, value, i) => sum + (value - pieces.left[i]!) ** 2, 0);
  assert.ok(10 * Math.log10(error / power) < -30, `${10 * Math.log10(error / power)} dB`);
  const checksOf = ({ result }: { result: RenderResult }): unknown =>
    result.quality?.checks.map(({ name, passed }) => [name, passed]);
  assert.deepEqual(checksOf(pieces), checksOf(whole));
  assert.deepEqual(pieces.result.warnings, whole.result.warnings);
});

test('a render names what the pieces of a song do not hold', async () => {
  const last = (await render(renderer.url, bodyOf([[2, 12]]))).events.at(-1) as {
    code?: string;
    error?: string;
    missing?: { song_id: string; start_sec: number; end_sec: number }[];
  };
  assert.equal(last.code, 'stems_missing');
  assert.match(last.error ?? '', /"song-a" do not hold 5\.1 to 14\.7 s/);
  const ids = new Set(last.missing?.map(({ song_id }) => song_id));
  assert.deepEqual([...ids].sort(), ['song-a', 'song-b']);
  for (const { start_sec, end_sec } of last.missing ?? []) assert.ok(start_sec > 4 && end_sec > 12 && end_sec < 16);
});
