/** What the playback tests do with their page, and what they check of the sound that was heard. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { PlaybackState } from '../../packages/react/audio/playback/playback-state.ts';
import { RATE } from './playback-harness.ts';
import type { Files, InPage, Sound } from './playback-harness.ts';

export const filesOf = (path: string, { files }: Sound): Files =>
  new Map(files.map((file, i) => [`${path}/${i}.flac`, file]));

/** Silence of this many frames within the recording is a hole: the sound itself holds none. */
const HOLE_FRAMES = 16;

/** A recording without its holes, and the frames of the sound at which there were holes. The silence at its end is one. */
function withoutHoles(recorded: readonly number[]): { samples: number[]; holes: number[] } {
  const [samples, holes]: [number[], number[]] = [[], []];
  for (let i = 0; i < recorded.length;) {
    let end = i;
    while (end < recorded.length && recorded[end] === 0 && recorded[end + 1] === 0) end += 2;
    const isHole = end - i >= 2 * HOLE_FRAMES;
    if (isHole) holes.push(samples.length / 2);
    const next = Math.max(end, i + 2);
    for (; i < next; i++) if (!isHole) samples.push(recorded[i] ?? 0);
  }
  return { samples, holes };
}

/**
 * Waits for the end of the sound and checks that each of its samples was heard, and no hole where parts join. A busy machine may
 * play nothing for a moment anywhere else, and where the player had to wait.
 */
export async function assertHeardExactly(page: Page, { samples, ends }: Sound, late: number): Promise<void> {
  await page.waitForFunction((frames) => (globalThis as unknown as InPage).page.hasEnded(frames), RATE / 10);
  const heard = withoutHoles(await recordingOf(page));
  assert.equal(heard.samples.length, samples.length);
  const wrong = heard.samples.flatMap((value, i) => (Math.abs(value - samples[i]!) > 1 ? [i >> 1] : []));
  assert.deepEqual(wrong.slice(0, 20), []);
  const joins = ends.slice(0, -1).filter((end) => end !== late);
  assert.deepEqual(
    heard.holes.filter((at) => joins.includes(at)),
    [],
  );
}

/** Waits until the state of the player has these members. */
export async function reaches(page: Page, wanted: Partial<PlaybackState>): Promise<void> {
  await page.waitForFunction((state) => {
    const { playback } = (globalThis as unknown as InPage).page;
    return Object.entries(state).every(([name, value]) => Reflect.get(playback.state.get(), name) === value);
  }, wanted);
}

/** Waits until the player has passed a position. */
export async function passes(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction(
    (position) => (globalThis as unknown as InPage).page.playback.position() > position,
    seconds,
  );
}

export const play = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const { playback, recordElements } = (globalThis as unknown as InPage).page;
    await recordElements();
    playback.play();
  });

/** What was heard, from its first sound on: left and right in turns. */
export const recordingOf = (page: Page): Promise<number[]> =>
  page.evaluate(() => (globalThis as unknown as InPage).page.recording());

/** Levels (RMS) of pieces of 20 ms of a recording. */
export function levelsOf(recorded: readonly number[]): number[] {
  const step = 2 * Math.round(0.02 * RATE);
  return Array.from({ length: Math.floor(recorded.length / step) }, (_, i) => {
    const piece = recorded.slice(i * step, (i + 1) * step);
    return Math.sqrt(piece.reduce((sum, value) => sum + value * value, 0) / step);
  });
}

/** Attempts at what a busy machine may spoil by losing sound. */
const ATTEMPTS = 3;

/** Runs a check that fails where the machine loses too much sound, up to three times. @throws what the last attempt throws */
export async function withinAttempts(check: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || attempt === ATTEMPTS) throw error;
    }
  }
}
