/**
 * Publishes the beginning of a mashup while the rest is rendered: its sections become parts in a thread of their own, which are
 * uploaded one after the other. A fault ends the publishing and never the render.
 */
import { Worker } from 'node:worker_threads';
import { PLAYABLE_SAMPLE_RATE, type PlayableAudio, type RenderRequest } from '../../../schema.ts';
import { logError } from '../../http/log.ts';
import { uploadMashup } from '../files/upload.ts';
import type { PartMessage, PartRequest, PartThreadData } from './messages.ts';
import type { PartPlan } from './parts.ts';
import type { MixedSection } from './timeline.ts';

/** Receives all parts so far, each time that another one is uploaded. */
export type OnPlayable = (playable: PlayableAudio) => void;

/** The playable parts of one render. */
export class PartPublisher {
  readonly #targets: NonNullable<RenderRequest['parts']>;
  readonly #totalFrames: number;
  readonly #onPlayable: OnPlayable;
  readonly #worker: Worker;
  readonly #controller = new AbortController();
  readonly #ends: number[] = [];
  #uploads: Promise<void> = Promise.resolve();
  #accepted = 0;
  #onAllMade: () => void = () => undefined;

  constructor(targets: NonNullable<RenderRequest['parts']>, plan: PartPlan, onPlayable: OnPlayable) {
    this.#targets = targets;
    this.#totalFrames = Math.round(plan.durationSec * PLAYABLE_SAMPLE_RATE);
    this.#onPlayable = onPlayable;
    const data: PartThreadData = { plan, maxParts: targets.uploads.length };
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (message: PartMessage) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
  }

  /** Adds the next section: the one that follows the last one added. Its channels must not change afterwards. */
  addSection({ offset, channels }: MixedSection): void {
    if (!this.#controller.signal.aborted) this.#worker.postMessage({ offset, channels } satisfies PartRequest);
  }

  /** Resolves when all parts of the sections so far are uploaded, or the publishing has ended. */
  async uploaded(): Promise<void> {
    const { signal } = this.#controller;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onAllMade = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#worker.postMessage('flush' satisfies PartRequest);
    });
    await this.#uploads;
  }

  /** Ends the publishing. Resolves when no upload is under way. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await Promise.allSettled([this.#worker.terminate(), this.#uploads]);
  }

  #receive(message: PartMessage): void {
    if (message.kind === 'failed') return this.#fail(new Error(message.message));
    if (message.kind === 'made') return this.#onAllMade();
    const { end, bytes } = message;
    const target = this.#targets.uploads[this.#accepted++];
    if (!target) return;
    this.#uploads = this.#uploads.then(async () => {
      const { signal } = this.#controller;
      if (signal.aborted) return;
      try {
        await uploadMashup(target, bytes, 'flac', signal);
      } catch (error) {
        return this.#fail(error);
      }
      if (signal.aborted) return;
      this.#ends.push(end);
      this.#onPlayable({
        path: this.#targets.path,
        sample_rate: PLAYABLE_SAMPLE_RATE,
        total_frames: this.#totalFrames,
        ends: [...this.#ends],
      });
    });
  }

  #fail(error: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort();
    void this.#worker.terminate();
    const reason = error instanceof Error ? error.message : String(error);
    logError('processing', new Error(`A mashup gets no more playable parts: ${reason}`));
  }
}
