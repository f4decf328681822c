/** A deck that plays decoded pieces by an audio context, joined by whole samples. Subclasses provide the pieces. */
import { nextFrame, startOf } from './context-schedule.ts';
import type { Anchor } from './context-schedule.ts';
import type { Deck, DeckEvents, DeckState } from './deck.ts';

/** Time between a decision and the first sample, in seconds. */
const LEAD_SEC = 0.05;
/** Time for which a browser may take to start a context, in milliseconds. It never says that it refuses. */
const START_MS = 1_500;
/** Interval at which the amount ahead is looked at, in milliseconds. */
const FILL_MS = 1_000;

/** A sound of a piece, as long as the piece, and the node that it is played into. */
export interface PieceSound {
  buffer: AudioBuffer;
  into: AudioNode;
}

/** Decoded sounds that are played together: from a sample of the mashup to the one behind the last. None: silence. */
export interface Piece {
  from: number;
  to: number;
  sounds: PieceSound[];
}

/** Length of what is played. */
export interface PieceLength {
  sampleRate: number;
  totalFrames: number;
}

interface Scheduled {
  nodes: AudioScheduledSourceNode[];
  /** Ends with the piece. */
  clock: ConstantSourceNode;
  to: number;
}

/** Plays pieces by an audio context of their own sample rate. */
export abstract class ScheduledDeck implements Deck {
  readonly element = undefined;
  protected readonly context: AudioContext;
  /** What is heard. */
  protected readonly output: GainNode;
  protected readonly events: DeckEvents;
  readonly #aheadSec: number;
  #length: PieceLength;
  #scheduled: Scheduled[] = [];
  /** Set while sound is scheduled. */
  #anchor: Anchor | undefined;
  /** Position in samples while nothing is scheduled. */
  #rest = 0;
  #isPlaying = false;
  /** Number of the last decision about the position: a piece that was decoded for an earlier one is dropped. */
  #generation = 0;
  /** The decision for which a piece is being decoded. */
  #loading: number | undefined;
  #isClosed = false;
  /** Called when sound is scheduled, or will not be. */
  #waiters: (() => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param aheadSec decoded sound that is scheduled ahead of the position, in seconds */
  constructor(length: PieceLength, events: DeckEvents, aheadSec: number) {
    this.#length = length;
    this.events = events;
    this.#aheadSec = aheadSec;
    this.context = new AudioContext({ sampleRate: length.sampleRate });
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
    this.#timer = setInterval(() => this.fill(), FILL_MS);
  }

  /** The piece with this sample; undefined while it cannot be had. */
  protected abstract pieceAt(sample: number): Promise<Piece> | undefined;

  abstract isReady(): boolean;

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes another length, and looks for more sound. */
  protected setLength(length: PieceLength): void {
    this.#length = length;
    this.fill();
  }

  position(): number {
    return this.#sample() / this.#length.sampleRate;
  }

  /** Resolves when sound is scheduled, or is no longer wanted. */
  async play(): Promise<void> {
    this.#isPlaying = true;
    if (this.#rest >= this.#length.totalFrames) this.#rest = 0;
    const resumed = this.context.resume();
    await Promise.race([resumed, new Promise((resolve) => setTimeout(resolve, START_MS))]);
    if (this.#isClosed) return;
    if (this.context.state !== 'running') {
      this.#isPlaying = false;
      throw new DOMException('The browser wants a press of Play first.', 'NotAllowedError');
    }
    const scheduled = new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.fill();
    if (this.#anchor !== undefined) {
      this.#report('playing');
      this.#wake();
    }
    await scheduled;
  }

  pause(): void {
    this.#isPlaying = false;
    void this.context.suspend();
    this.#report('paused');
    this.#wake();
  }

  seek(seconds: number): void {
    const last = this.#length.totalFrames;
    this.#silence(Math.min(last, Math.max(0, Math.round(seconds * this.#length.sampleRate))));
    this.fill();
  }

  setVolume(volume: number): void {
    this.output.gain.value = volume;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#silence(0);
    this.#wake();
    void this.context.close();
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #report(state: DeckState): void {
    if (!this.#isClosed) this.events.onState(state);
  }

  /** The sample that is heard now. */
  #sample(): number {
    if (this.#anchor === undefined) return this.#rest;
    // What the device has not played yet is not heard yet.
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    const played = (this.context.currentTime - latency) * this.#length.sampleRate - this.#anchor.contextFrame;
    const end = this.#scheduled.at(-1)?.to ?? this.#anchor.sample;
    return Math.min(end, this.#anchor.sample + Math.max(0, played));
  }

  /** Drops what is scheduled and rests at a sample. */
  #silence(sample: number): void {
    this.#generation += 1;
    for (const { nodes, clock } of this.#scheduled) {
      clock.onended = null;
      for (const node of [...nodes, clock]) {
        node.stop();
        node.disconnect();
      }
    }
    this.#scheduled = [];
    this.#anchor = undefined;
    this.#rest = sample;
  }

  /** Decodes and schedules the next piece, unless enough is scheduled. */
  protected fill(): void {
    if (this.#isClosed || this.#loading === this.#generation || !this.#isPlaying) return;
    const next = this.#scheduled.at(-1)?.to ?? this.#rest;
    if (next >= this.#length.totalFrames) return;
    if (next - this.#sample() > this.#aheadSec * this.#length.sampleRate) return;
    const loading = this.pieceAt(next);
    if (this.#scheduled.length === 0) this.#report('waiting');
    if (loading === undefined) return;
    const generation = this.#generation;
    this.#loading = generation;
    void this.#load(loading, generation);
  }

  async #load(loading: Promise<Piece>, generation: number): Promise<void> {
    try {
      const piece = await loading;
      if (generation === this.#generation) this.#schedule(piece);
    } catch (error) {
      if (!this.#isClosed && generation === this.#generation) this.events.onError(error);
      return;
    } finally {
      if (this.#loading === generation) this.#loading = undefined;
    }
    this.fill();
  }

  #schedule(piece: Piece): void {
    const { sampleRate } = this.#length;
    const isFirst = this.#anchor === undefined;
    let anchor = this.#anchor;
    if (anchor === undefined || startOf(piece.from, anchor, sampleRate).when < this.context.currentTime) {
      // It starts, or it comes late: it continues where the sound has stopped.
      const sample = anchor === undefined ? this.#rest : piece.from;
      anchor = { sample, contextFrame: nextFrame(this.context.currentTime, LEAD_SEC, sampleRate) };
      this.#anchor = anchor;
    }
    const { when, offset } = startOf(piece.from, anchor, sampleRate);
    const nodes = piece.sounds.map(({ buffer, into }) => {
      const node = new AudioBufferSourceNode(this.context, { buffer });
      node.connect(into);
      node.start(when, offset);
      return node;
    });
    const clock = new ConstantSourceNode(this.context, { offset: 0 });
    clock.connect(this.output);
    const entry = { nodes, clock, to: piece.to };
    clock.onended = () => this.#onEnded(entry);
    clock.start(when);
    clock.stop(when + (piece.to - piece.from) / sampleRate - offset);
    this.#scheduled.push(entry);
    if (isFirst) this.#report('playing');
    this.#wake();
  }

  #onEnded(entry: Scheduled): void {
    entry.clock.disconnect();
    for (const node of entry.nodes) node.disconnect();
    if (this.#scheduled.length > 1) {
      this.#scheduled = this.#scheduled.filter((one) => one !== entry);
      return this.fill();
    }
    this.#silence(entry.to);
    if (entry.to >= this.#length.totalFrames) {
      this.#isPlaying = false;
      this.#report('ended');
    } else {
      this.#report('waiting');
      this.fill();
    }
  }
}
