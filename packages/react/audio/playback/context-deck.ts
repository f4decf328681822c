/** A deck that plays decoded parts by an audio context, where no Media Source takes FLAC. */
import type { PlayableAudio } from '@mashup-engine/client';
import { nextFrame, startOf } from './context-schedule.ts';
import type { Anchor } from './context-schedule.ts';
import type { Deck, DeckEvents, DeckState } from './deck.ts';
import { partAt } from './parts.ts';
import type { PartCache } from './parts.ts';

/** Decoded sound ahead of the position, in seconds: 20 MiB a minute. */
const AHEAD_SEC = 30;
/** Time between a decision and the first sample, in seconds. */
const LEAD_SEC = 0.05;
/** Time for which a browser may take to start a context, in milliseconds. It never says that it refuses. */
const START_MS = 1_500;

/** Interval at which the amount ahead is looked at, in milliseconds. */
const FILL_MS = 1_000;

interface Scheduled {
  node: AudioBufferSourceNode;
  to: number;
}

/** Plays parts by an audio context of their own sample rate. */
export class ContextDeck implements Deck {
  readonly element = undefined;
  readonly #context: AudioContext;
  readonly #gain: GainNode;
  readonly #cache: PartCache;
  readonly #events: DeckEvents;
  #playable: PlayableAudio;
  #scheduled: Scheduled[] = [];
  /** Set while sound is scheduled. */
  #anchor: Anchor | undefined;
  /** Position in samples while nothing is scheduled. */
  #rest = 0;
  #isPlaying = false;
  /** Number of the last decision about the position: a part that was decoded for an earlier one is dropped. */
  #generation = 0;
  #isLoading = false;
  #isClosed = false;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(playable: PlayableAudio, cache: PartCache, events: DeckEvents) {
    this.#playable = playable;
    this.#cache = cache;
    this.#events = events;
    this.#context = new AudioContext({ sampleRate: playable.sampleRate });
    this.#gain = this.#context.createGain();
    this.#gain.connect(this.#context.destination);
    this.#timer = setInterval(() => this.#fill(), FILL_MS);
    queueMicrotask(() => {
      if (!this.#isClosed) events.onReady();
    });
  }

  update(playable: PlayableAudio): void {
    this.#playable = playable;
    this.#fill();
  }

  position(): number {
    return this.#sample() / this.#playable.sampleRate;
  }

  async play(): Promise<void> {
    this.#isPlaying = true;
    if (this.#rest >= this.#playable.totalFrames) this.#rest = 0;
    const resumed = this.#context.resume();
    await Promise.race([resumed, new Promise((resolve) => setTimeout(resolve, START_MS))]);
    if (this.#context.state !== 'running') {
      this.#isPlaying = false;
      throw new DOMException('The browser wants a press of Play first.', 'NotAllowedError');
    }
    this.#fill();
    if (this.#anchor !== undefined) this.#report('playing');
  }

  pause(): void {
    this.#isPlaying = false;
    void this.#context.suspend();
    this.#report('paused');
  }

  seek(seconds: number): void {
    const last = this.#playable.totalFrames;
    this.#silence(Math.min(last, Math.max(0, Math.round(seconds * this.#playable.sampleRate))));
    this.#fill();
  }

  isReady(): boolean {
    return true;
  }

  setVolume(volume: number): void {
    this.#gain.gain.value = volume;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#silence(0);
    void this.#context.close();
  }

  #report(state: DeckState): void {
    if (!this.#isClosed) this.#events.onState(state);
  }

  /** The sample that is heard now. */
  #sample(): number {
    if (this.#anchor === undefined) return this.#rest;
    // What the device has not played yet is not heard yet.
    const latency = this.#context.outputLatency || this.#context.baseLatency || 0;
    const played = (this.#context.currentTime - latency) * this.#playable.sampleRate - this.#anchor.contextFrame;
    const end = this.#scheduled.at(-1)?.to ?? this.#anchor.sample;
    return Math.min(end, this.#anchor.sample + Math.max(0, played));
  }

  /** Drops what is scheduled and rests at a sample. */
  #silence(sample: number): void {
    this.#generation += 1;
    for (const { node } of this.#scheduled) {
      node.onended = null;
      node.stop();
    }
    this.#scheduled = [];
    this.#anchor = undefined;
    this.#rest = sample;
  }

  /** Loads, decodes and schedules the next part, unless enough is scheduled. */
  #fill(): void {
    if (this.#isClosed || this.#isLoading || !this.#isPlaying) return;
    const next = this.#scheduled.at(-1)?.to ?? this.#rest;
    if (next >= this.#playable.totalFrames) return;
    if (next - this.#sample() > AHEAD_SEC * this.#playable.sampleRate) return;
    const index = partAt(this.#playable, next);
    if (index < 0) {
      if (this.#scheduled.length === 0) this.#report('waiting');
      return;
    }
    const generation = this.#generation;
    this.#isLoading = true;
    this.#decode(index)
      .then((buffer) => {
        if (generation === this.#generation) this.#schedule(index, buffer);
      })
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#events.onError(error);
        throw error;
      })
      .finally(() => (this.#isLoading = false))
      .then(() => this.#fill())
      .catch(() => {});
  }

  async #decode(index: number): Promise<AudioBuffer> {
    const part = await this.#cache.get(this.#playable, index);
    const buffer = await this.#context.decodeAudioData(part.file.slice().buffer);
    if (buffer.length !== part.to - part.from) throw new RangeError(`Part ${index} is not decoded exactly.`);
    return buffer;
  }

  #schedule(index: number, buffer: AudioBuffer): void {
    const { sampleRate, ends } = this.#playable;
    const from = ends[index - 1] ?? 0;
    const isFirst = this.#anchor === undefined;
    let anchor = this.#anchor;
    if (anchor === undefined || startOf(from, anchor, sampleRate).when < this.#context.currentTime) {
      // It starts, or it comes late: it continues where the sound has stopped.
      const sample = anchor === undefined ? this.#rest : from;
      anchor = { sample, contextFrame: nextFrame(this.#context.currentTime, LEAD_SEC, sampleRate) };
      this.#anchor = anchor;
    }
    const node = new AudioBufferSourceNode(this.#context, { buffer });
    node.connect(this.#gain);
    const { when, offset } = startOf(from, anchor, sampleRate);
    const entry = { node, to: from + buffer.length };
    node.onended = () => this.#onEnded(entry);
    node.start(when, offset);
    this.#scheduled.push(entry);
    if (isFirst) this.#report('playing');
  }

  #onEnded(entry: Scheduled): void {
    if (this.#scheduled.length > 1) {
      this.#scheduled = this.#scheduled.filter((one) => one !== entry);
      return this.#fill();
    }
    this.#silence(entry.to);
    if (entry.to >= this.#playable.totalFrames) {
      this.#isPlaying = false;
      this.#report('ended');
    } else {
      this.#report('waiting');
      this.#fill();
    }
  }
}
