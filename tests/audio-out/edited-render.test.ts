/** A plan that was edited by hand is rendered anew only where it was edited. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { RenderCache } from '../../services/processing/files/render-cache.ts';
import {
  layer,
  render,
  renderBody,
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

const folder = mkdtempSync(join(tmpdir(), 'edited-render-'));
const storage = await startStorage();
const { server, url } = await startRenderer({ cache: RenderCache.open(folder, 512 * 2 ** 20) });
const servers: Server[] = [storage.server, server];
after(() => {
  for (const each of servers) {
    each.closeAllConnections();
    each.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Four sections. `bars`: lengths of the two in the middle; `shift`: bars by which the third starts later in its song. */
const plan = ([second, third]: [number, number], shift: number): unknown =>
  renderBody(storage, [
    { bars: 2, layers: [layer(SONG_A, 'bass', 0, { source_start_sec: 0.31 })] },
    { bars: second, layers: [layer(SONG_B, 'other', 0, { source_start_sec: 0.12 })] },
    { bars: third, layers: [layer(SONG_A, 'other', 0, { source_start_sec: 0.31 + shift * 2.4 })] },
    { bars: 2, layers: [layer(SONG_B, 'bass', 0, { source_start_sec: 0.12 })] },
  ]);

/** Renders a plan. Returns the left channel, 16 bits, and how many files the cache has more. */
async function rendered(body: unknown): Promise<{ samples: Int16Array; added: number }> {
  const before = readdirSync(folder).length;
  const { events } = await render(url, body);
  assert.ok('result' in events.at(-1)!, JSON.stringify(events.at(-1)));
  const file = storage.puts.at(-1)!.bytes;
  const samples = Int16Array.from({ length: (file.length - HEADER_BYTES) / 4 }, (_, i) =>
    file.readInt16LE(HEADER_BYTES + i * 4),
  );
  return { samples, added: readdirSync(folder).length - before };
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

it('a moved edge changes the file between the two places of the edge, and nowhere else', async () => {
  const before = await rendered(plan([2, 3], 0));
  const after = await rendered(plan([3, 2], 1));
  assert.equal(after.samples.length, before.samples.length);
  const levels = [0, 2, 4, 5, 7].map((from, i) => difference(before.samples, after.samples, from, [2, 4, 5, 7, 9][i]!));
  const [first, second, moved, , last] = levels;
  for (const level of [first, second, last]) assert.ok(level! < -60, `${levels.join(' dB, ')} dB`);
  assert.ok(moved! > -20, `${moved} dB`);
  assert.ok(before.added > after.added && after.added > 0, `${before.added} and ${after.added} files of the cache`);
});
