import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OPENING_PATH, type PlayableAudio, type RenderEvent } from '../../schema.ts';
import { RenderCache } from '../../services/processing/files/render-cache.ts';
import {
  layer,
  render,
  renderBody,
  type SectionBody,
  SONG_A,
  SONG_B,
  songBody,
  startRenderer,
  startStorage,
  type Storage,
} from './render-fixture.ts';

/** The bass of song A goes on from the first section to the second. Song B is heard only behind the opening. */
const SECTIONS: SectionBody[] = [
  { bars: 2, layers: [layer(SONG_A, 'drums', -2), layer(SONG_A, 'bass', -3, { source_start_sec: 0.31 })] },
  { bars: 1, layers: [layer(SONG_A, 'bass', -3), layer(SONG_B, 'drums', -1)] },
];

const endsOf = (events: readonly RenderEvent[]): number[] =>
  (events.findLast((event) => 'playable' in event) as { playable?: PlayableAudio } | undefined)?.playable?.ends ?? [];

describe('the opening of a mashup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opening-render-'));
  let storage: Storage;
  let renderer: Awaited<ReturnType<typeof startRenderer>>;

  before(async () => {
    storage = await startStorage();
    renderer = await startRenderer({ cache: RenderCache.open(folder, 2 ** 29) });
  });
  after(() => {
    for (const { server } of [storage, renderer]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const body = (name: string, changes: Record<string, unknown>): unknown =>
    renderBody(storage, SECTIONS, {
      parts: {
        path: `generated/job/${name}.parts`,
        uploads: Array.from({ length: 6 }, (_, i) => ({
          path: `generated/job/${name}.parts/${i}.flac`,
          url: `${storage.url}/${name}/${i}.flac?token=secret`,
        })),
      },
      opening: { key: 'key', sections: 1 },
      ...changes,
    });
  const partsOf = (name: string): Buffer[] =>
    storage.puts.filter(({ path }) => path.startsWith(`/${name}/`)).map(({ bytes }) => bytes);

  /** The stems of song B are not separated yet. */
  const openingSongs = (): unknown[] => [songBody(storage, SONG_A), { ...songBody(storage, SONG_B), stems: {} }];

  it('needs only the stems that it plays, and its parts are uploaded when its stream ends', async () => {
    const sent = body('open', { songs: openingSongs(), upload: undefined });
    const { events } = await render(renderer.url, sent, OPENING_PATH);
    const last = events.at(-1)!;
    assert.ok('storage_path' in last && last.storage_path === 'generated/job/open.parts', JSON.stringify(last));
    assert.ok(endsOf(events).length >= 1);
    assert.equal(partsOf('open').length, endsOf(events).length);
  });

  it('is used as it is by the render of all of the mashup, whose parts begin with the same bytes', async () => {
    const opening = partsOf('open');
    const before = storage.requests.length;
    const { events } = await render(renderer.url, body('whole', {}));
    assert.ok('result' in events.at(-1)!, JSON.stringify(events.at(-1)));
    const whole = partsOf('whole');
    assert.ok(whole.length > opening.length);
    opening.forEach((part, i) => assert.ok(part.equals(whole[i]!), `part ${i}`));
    const drums = storage.requests.slice(before).map(({ url }) => new URL(url!, 'http://storage').pathname);
    assert.ok(drums.includes(`/${SONG_B.id}/drums.wav`));
  });

  it('is rendered with the rest if it is not in the cache, or its songs are tuned otherwise now', async () => {
    const { events } = await render(renderer.url, body('other', { opening: { key: 'other key', sections: 1 } }));
    assert.ok('result' in events.at(-1)!, JSON.stringify(events.at(-1)));
    const global = { targetBPM: 106, targetKey: 'D minor', timeSignature: [4, 4] };
    const { masterplan } = renderBody(storage, SECTIONS) as { masterplan: Record<string, unknown> };
    const moved = body('moved', { masterplan: { ...masterplan, global_settings: global } });
    await render(renderer.url, moved);
    assert.ok(!partsOf('moved')[0]!.equals(partsOf('open')[0]!));
  });

  it('is refused without targets for its parts', async () => {
    const { events } = await render(renderer.url, body('none', { parts: undefined }), OPENING_PATH);
    assert.ok('error' in events.at(-1)!);
  });
});
