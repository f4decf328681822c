/** A plan that was edited by hand is rendered anew only where it was edited. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { RenderCache } from '../../services/processing/files/render-cache.ts';
import { limitThreads } from '../../services/processing/threads/thread-pool.ts';
import {
  layer,
  render,
  renderBody,
  type SectionBody,
  SONG_A,
  SONG_B,
  startRenderer,
  startStorage,
  TARGET_BPM,
} from './render-fixture.ts';

const BAR_SEC = (4 * 60) / TARGET_BPM;
/** Seconds around an edited part that a transition or a filter may change as well: a beat. */
const MARGIN_SEC = BAR_SEC / 4;
const [HEADER_BYTES, RATE] = [44, 44_100];

// Each thread loads the code of the renderer.
limitThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'edited-render-'));
const storage = await startStorage();
const { server, url } = await startRenderer({ cache: RenderCache.open(folder, 512 * 2 ** 20) });
const fresh = await startRenderer();
const servers: Server[] = [storage.server, server, fresh.server];
after(() => {
  for (const each of servers) {
    each.closeAllConnections();
    each.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Sections with a stem each. */
const SECTIONS = [
  { bars: 1, layers: [layer(SONG_A, 'bass', 0, { source_start_sec: 0.31 })] },
  { bars: 1, layers: [layer(SONG_B, 'other', 0, { source_start_sec: 0.12 })] },
  { bars: 2, layers: [layer(SONG_A, 'other', 0, { source_start_sec: 0.31 })] },
  { bars: 1, layers: [layer(SONG_B, 'bass', 0, { source_start_sec: 0.12 })] },
  { bars: 1, layers: [layer(SONG_A, 'vocals', 0, { source_start_sec: 0.31 })] },
] satisfies SectionBody[];

/** The edge after the second section is moved by a bar, and the fourth section is repeated. */
const EDITED: SectionBody[] = [
  SECTIONS[0]!,
  { ...SECTIONS[1]!, bars: 2 },
  { bars: 1, layers: [layer(SONG_A, 'other', 0, { source_start_sec: 0.31 + 2.4 })] },
  SECTIONS[3]!,
  SECTIONS[3]!,
  SECTIONS[4]!,
];
/** A changed section has its sound in the cache, and the level and the stretched sound of its stem. */
const ADDED_FILES = 2 * 3;

/** Renders sections. Returns the file, its left channel, 16 bits, and how many files the cache has more. */
async function rendered(
  sections: SectionBody[],
  renderer = url,
): Promise<{ file: Uint8Array; samples: Int16Array; added: number }> {
  const before = readdirSync(folder).length;
  const { events } = await render(renderer, renderBody(storage, sections));
  assert.ok('result' in events.at(-1)!, JSON.stringify(events.at(-1)));
  const file = storage.puts.at(-1)!.bytes;
  const samples = Int16Array.from({ length: (file.length - HEADER_BYTES) / 4 }, (_, i) =>
    file.readInt16LE(HEADER_BYTES + i * 4),
  );
  return { file, samples, added: readdirSync(folder).length - before };
}

/** Level in dB of the difference of two files between two bars, after the second is scaled to the first. */
function difference(a: Int16Array, b: Int16Array, fromBar: number, toBar: number): number {
  const at = (bar: number, margin: number): number => Math.round((bar * BAR_SEC + margin) * RATE);
  const [from, to] = [at(fromBar, fromBar === 0 ? 0 : MARGIN_SEC), at(toBar, -MARGIN_SEC)];
  let [ab, bb, aa] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    ab += a[i]! * b[i]!;
    bb += b[i]! * b[i]!;
    aa += a[i]! * a[i]!;
  }
  const gain = ab / bb;
  let error = 0;
  for (let i = from; i < to; i++) error += (a[i]! - gain * b[i]!) ** 2;
  return 10 * Math.log10(error / aa + 1e-12);
}

it('an edited plan is rendered anew in its changed sections only, and the file is that of a render without a cache', async () => {
  const before = await rendered(SECTIONS);
  const after = await rendered(EDITED);
  assert.equal(after.added, ADDED_FILES);
  const anew = await rendered(EDITED, fresh.url);
  assert.ok(Buffer.from(after.file).equals(anew.file));

  const same = [0, 1, 4].map((bar) => difference(before.samples, after.samples, bar, bar + 1));
  for (const level of same) assert.ok(level < -60, `${same.join(' dB, ')} dB`);
  const moved = difference(before.samples, after.samples, 2, 3);
  assert.ok(moved > -20, `${moved} dB`);
});
