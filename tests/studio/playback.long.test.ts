/** Playing a mashup while it is rendered, in a real browser: what is heard is recorded and compared with the samples. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import type { PlaybackState } from '../../packages/react/audio/playback/playback-state.ts';
import { openBrowser, reasonToSkip } from './browser.ts';
import {
  assertHeardExactly,
  filesOf,
  levelsOf,
  passes,
  play,
  reaches,
  recordingOf,
  withinAttempts,
} from './playback-checks.ts';
import { makeSound, openPlayback, RATE } from './playback-harness.ts';
import type { InPage, Sound } from './playback-harness.ts';

/** Names the first `count` parts of a sound to the player. */
function publish(page: Page, path: string, { ends }: Sound, count: number): Promise<void> {
  return page.evaluate(
    ([folder, known, total]) => {
      const { playback, load } = (globalThis as unknown as InPage).page;
      playback.setParts({ path: folder, sampleRate: 44_100, totalFrames: total, ends: known }, load);
    },
    [path, ends.slice(0, count), ends.at(-1) ?? 0] as const,
  );
}

/** Gives the player the finished file. */
const finish = (page: Page): Promise<void> =>
  page.evaluate(() => (globalThis as unknown as InPage).page.playback.setFile('/file.wav', () => {}));

const LONG_SEC = 15;
/** Silence that lasts longer than any test plays it. */
const SILENCE = encodeWav16([new Float32Array(120 * 8_000)], 8_000);

/** Script for browsers without a media source for FLAC. */
const NO_MEDIA_SOURCE = 'MediaSource.isTypeSupported = () => false';

/** By how many samples the end of a recording is late against its beginning, which is the sound itself. */
function latenessOf(recorded: readonly number[], { samples }: Sound): number {
  const length = 4_000;
  const at = recorded.length - 4 * length - (recorded.length % 2);
  const errorOf = (shift: number): number => {
    let sum = 0;
    for (let i = 0; i < length; i += 2) sum += Math.abs(recorded[at + i]! - (samples[at + i - 2 * shift] ?? 0));
    return sum;
  };
  const shifts = Array.from({ length: 8_001 }, (_, i) => i - 4_000);
  return shifts.reduce((best, shift) => (errorOf(shift) < errorOf(best) ? shift : best));
}

/** Left and right of a sound, full scale 1. */
const channelsOf = ({ samples }: Sound): Float32Array[] =>
  [0, 1].map((side) => Float32Array.from({ length: samples.length / 2 }, (_, i) => samples[2 * i + side]! / 32_768));

/** The frames of a recording at which a place of the sound is heard. */
function placesOf(recorded: readonly number[], { samples }: Sound, frame: number): number[] {
  const wanted = samples.subarray(2 * frame, 2 * frame + 40);
  const isThere = (at: number): boolean => wanted.every((value, k) => Math.abs(recorded[at + k]! - value) <= 2);
  return Array.from({ length: recorded.length / 2 - 20 }, (_, i) => i).filter((i) => isThere(2 * i));
}

/** Position of the player against the clock of the page, and what it plays. */
interface Offset {
  source: PlaybackState['source'];
  sec: number;
}

describe('playback of parts', { skip: reasonToSkip(), concurrency: 2 }, () => {
  let browser: Browser;
  let sound: Sound;
  /** Noise that plays on until a test ends, also on a busy machine. */
  let long: Sound;

  before(async () => {
    sound = await makeSound([0.5 * RATE, 2 * RATE + 77, 2.3 * RATE + 1, 2.7 * RATE + 4].map(Math.floor));
    long = await makeSound([1 * RATE, LONG_SEC * RATE], 0);
    browser = await openBrowser();
  });
  after(() => browser?.close());

  test('Media Source joins parts exactly, sample by sample, also when one comes late', async () => {
    const page = await openPlayback(browser, filesOf('a', sound));
    await publish(page, 'a', sound, 2);
    await play(page);
    await reaches(page, { isWaiting: true });
    await publish(page, 'a', sound, 4);
    await reaches(page, { isPlaying: false });
    assert.ok(await page.evaluate(() => document.querySelector('audio')?.ended));
    await assertHeardExactly(page, sound, sound.ends[1]!);
    await page.close();
  });

  test('without a media source for FLAC an audio context joins parts exactly', async () => {
    const page = await openPlayback(browser, filesOf('a', sound), NO_MEDIA_SOURCE);
    await page.evaluate(() => (globalThis as unknown as InPage).page.recordContexts());
    await publish(page, 'a', sound, 2);
    await page.evaluate(() => (globalThis as unknown as InPage).page.areContextsRecorded());
    await page.evaluate(() => (globalThis as unknown as InPage).page.playback.play());
    await passes(page, 0);
    await publish(page, 'a', sound, 4);
    await reaches(page, { isPlaying: false });
    // On a busy machine the first two parts may have been heard to their end before the others are named.
    await assertHeardExactly(page, sound, sound.ends[1]!);
    await page.close();
  });

  test('the finished file takes over while it plays: at the same position, without a gap', async (t) => {
    const channels = [0, 1].map((k) =>
      Float32Array.from({ length: LONG_SEC * RATE }, (_, i) => long.samples[2 * i + k]! / 32_768),
    );
    const files = filesOf('a', long).set('file.wav', encodeWav16(channels, RATE));
    await withinAttempts(async () => {
      const page = await openPlayback(browser, files);
      await publish(page, 'a', long, 2);
      await play(page);
      await passes(page, 0.5);
      await page.evaluate(() => {
        const { playback } = (globalThis as unknown as InPage).page;
        const offsets: Offset[] = [];
        setInterval(() => {
          const { source } = playback.state.get();
          offsets.push({ source, sec: playback.position() - performance.now() / 1000 });
        }, 10);
        Object.assign(globalThis, { offsets });
      });
      await finish(page);
      await reaches(page, { source: 'file', isPlaying: true });
      const at = await page.evaluate(() => (globalThis as unknown as InPage).page.playback.position());
      await passes(page, at + 0.3);
      const [offsets, elements] = await page.evaluate(() => [
        (globalThis as unknown as { offsets: Offset[] }).offsets,
        document.querySelectorAll('audio').length,
      ]);
      const taken = offsets.findIndex(({ source }) => source === 'file');
      const jump = Math.abs(offsets[taken]!.sec - offsets[taken - 1]!.sec);
      assert.ok(jump < 0.25, `the position jumps by ${jump} s`);
      assert.equal(elements, 1);
      const recorded = await recordingOf(page);
      const late = (1000 * latenessOf(recorded, long)) / RATE;
      t.diagnostic(`the file goes on ${late.toFixed(1)} ms late`);
      assert.ok(Math.abs(late) < 250, `${late} ms late`);
      // A busy machine may lose single buffers of sound.
      const levels = levelsOf(recorded).slice(2, -2);
      const quiet = levels.filter((level) => level < 0.45 * levels[5]!).length;
      assert.ok(quiet <= 4, `${quiet} pieces of ${levels.length} are quiet`);
      const loud = levels.filter((level) => level > 1.3 * levels[5]!).length;
      assert.equal(loud, 0, 'both decks are never heard at full level');
      await page.close();
    });
  });

  test('a section of a file, or of parts, is repeated by jumps: the gap is told', async (t) => {
    const files = filesOf('a', long).set('file.wav', encodeWav16(channelsOf(long), RATE));
    for (const kind of ['file', 'parts']) {
      const page = await openPlayback(browser, files);
      if (kind === 'file') await finish(page);
      else await publish(page, 'a', long, 2);
      await play(page);
      await page.evaluate(() =>
        (globalThis as unknown as InPage).page.playback.setLoop({ startSec: 0.4, endSec: 1.2 }),
      );
      const [turns, last] = await page.evaluate(async () => {
        const { playback } = (globalThis as unknown as InPage).page;
        let [before, count, furthest] = [0, 0, 0];
        while (count < 3) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          const position = playback.position();
          if (position < before) count += 1;
          furthest = Math.max(furthest, position);
          before = position;
        }
        return [count, furthest];
      });
      await passes(page, 0.6);
      const recorded = await recordingOf(page);
      const starts = placesOf(recorded, long, 0.5 * RATE);
      const late = starts.slice(1).map((at, i) => (1000 * (at - starts[i]! - 0.8 * RATE)) / RATE);
      t.diagnostic(
        `${kind}: turns are late by ${late.map((ms) => ms.toFixed(1)).join(', ')} ms; ${last?.toFixed(3)} s`,
      );
      assert.equal(turns, 3);
      await page.close();
    }
  });

  test('in a pause the finished file takes over silently, and plays on from there', async () => {
    const files = filesOf('a', sound).set('file.wav', SILENCE);
    const page = await openPlayback(browser, files);
    await publish(page, 'a', sound, 3);
    await page.evaluate(() => (globalThis as unknown as InPage).page.playback.seek(0.9));
    await finish(page);
    await reaches(page, { source: 'file', isPlaying: false });
    await passes(page, 0.89);
    await play(page);
    await passes(page, 1);
    await page.close();
  });

  test('the parts of another attempt take over when they reach the position', async () => {
    const page = await openPlayback(browser, new Map([...filesOf('a', sound), ...filesOf('b', sound)]));
    await publish(page, 'a', sound, 3);
    await play(page);
    await passes(page, 0.6);
    await publish(page, 'b', sound, 1);
    await reaches(page, { isWaiting: true });
    await publish(page, 'b', sound, 4);
    await reaches(page, { isPlaying: false, isWaiting: false });
    const requests = await page.evaluate(() => (globalThis as unknown as InPage).page.requests);
    assert.ok(requests.includes('b/3') && !requests.includes('a/3'), requests.join());
    await page.close();
  });

  test('a part that is gone is told when the sound reaches it, and the finished file plays on', async () => {
    const files = filesOf('a', sound);
    files.delete('a/1.flac');
    const page = await openPlayback(browser, files);
    await publish(page, 'a', sound, 4);
    await play(page);
    await page.waitForFunction(() => (globalThis as unknown as InPage).page.playback.state.get().problem !== undefined);
    await passes(page, 0.4);
    files.set('file.wav', SILENCE);
    await finish(page);
    await reaches(page, { source: 'file', isPlaying: true, problem: undefined });
    await passes(page, 0.6);
    await page.close();
  });

  test('a listener of a file who chooses another version hears its parts', async () => {
    const page = await openPlayback(browser, filesOf('a', long).set('file.wav', SILENCE));
    await finish(page);
    await play(page);
    await passes(page, 0.1);
    await publish(page, 'a', long, 2);
    await reaches(page, { source: 'parts', isPlaying: true });
    await page.waitForFunction(() => (globalThis as unknown as InPage).page.hasSound());
    await page.close();
  });

  test('a file that cannot be played is told, stops, and is tried again by the next play', async () => {
    const files = filesOf('a', sound);
    const page = await openPlayback(browser, files);
    await page.evaluate(() => {
      const { playback } = (globalThis as unknown as InPage).page;
      let links = 0;
      const renew = (): void => playback.setFile(`/file.wav?${(links += 1)}`, renew);
      renew();
    });
    await page.waitForFunction(() => (globalThis as unknown as InPage).page.playback.state.get().problem !== undefined);
    await play(page);
    await reaches(page, { isPlaying: false });
    const problem = await page.evaluate(() => (globalThis as unknown as InPage).page.playback.state.get().problem);
    assert.equal(problem?.message, 'The sound cannot be played.');
    files.set('file.wav', SILENCE);
    await page.evaluate(() => (globalThis as unknown as InPage).page.playback.play());
    await reaches(page, { isPlaying: true, problem: undefined });
    await passes(page, 0.1);
    await page.close();
  });
});
