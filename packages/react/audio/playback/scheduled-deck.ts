/** A deck that plays decoded pieces by an audio context, joined by whole samples. Subclasses provide the pieces. */
import { nextFrame, startOf } from './context-schedule.ts';
import type { Deck, DeckEvents, DeckState } from './deck.ts';
import type { LoopRange } from './loop.ts';

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
  /** Samples of the mashup: the first one, and the one behind the last. */
  from: number;
  to: number;
  /** The sample of the context that plays the first one. */
  contextFrame: number;
}

/** Share of a sample by which a sound is cut early: browsers round the time of a stop up. */
const CUT_ROUNDING = 0.25;

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
  /** The piece that was played before: its end may not be heard yet. */
  #last: Scheduled | undefined;
  /** The section that is repeated, in samples. */
  #loop: { from: number; to: number } | undefined;
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
    if (this.#scheduled.length > 0) {
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

  setLoop(range: LoopRange | undefined): void {
    const { sampleRate, totalFrames } = this.#length;
    const sampleOf = (seconds: number): number =>
      Math.min(totalFrames || Infinity, Math.max(0, Math.round(seconds * sampleRate)));
    const loop = range && { from: sampleOf(range.startSec), to: sampleOf(range.endSec) };
    if (loop?.from === this.#loop?.from && loop?.to === this.#loop?.to) return;
    this.#loop = loop !== undefined && loop.from < loop.to ? loop : undefined;
    this.#keepCurrent();
    this.fill();
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

  /** The sample of the context that is heard now: what the device has not played yet is not heard yet. */
  #heardFrame(): number {
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    return (this.context.currentTime - latency) * this.#length.sampleRate;
  }

  /** The sample that is heard now. */
  #sample(): number {
    const frame = this.#heardFrame();
    const entries = this.#last === undefined ? this.#scheduled : [this.#last, ...this.#scheduled];
    const entry = entries.filter(({ contextFrame }) => contextFrame <= frame).at(-1) ?? entries[0];
    if (entry === undefined || this.#scheduled.length === 0) return this.#rest;
    return Math.min(entry.to, entry.from + Math.max(0, frame - entry.contextFrame));
  }

  /** The sample that follows what is scheduled: the end of a section is followed by its start. */
  #nextSample(): number {
    const next = this.#scheduled.at(-1)?.to ?? this.#rest;
    return next === this.#loop?.to ? this.#loop.from : next;
  }

  /** Drops what is scheduled behind the piece that is played now, and ends that piece with the section that is repeated. */
  #keepCurrent(): void {
    const { sampleRate } = this.#length;
    const now = this.context.currentTime * sampleRate;
    const current = Math.max(0, this.#scheduled.filter(({ contextFrame }) => contextFrame <= now).length - 1);
    const entry = this.#scheduled[current];
    if (entry === undefined) return;
    this.#generation += 1;
    for (const one of this.#scheduled.splice(current + 1)) dropEntry(one);
    const loop = this.#loop;
    if (loop === undefined || entry.from >= loop.to || entry.to <= loop.to) return;
    const end = entry.contextFrame + loop.to - entry.from;
    if (end < nextFrame(this.context.currentTime, LEAD_SEC, sampleRate)) return;
    entry.to = loop.to;
    for (const node of entry.nodes) node.stop((end - CUT_ROUNDING) / sampleRate);
    entry.clock.stop(end / sampleRate);
  }

  /** Drops what is scheduled and rests at a sample. */
  #silence(sample: number): void {
    this.#generation += 1;
    for (const entry of this.#scheduled) dropEntry(entry);
    this.#scheduled = [];
    this.#last = undefined;
    this.#rest = sample;
  }

  /** Decodes and schedules the next piece, unless enough is scheduled. */
  protected fill(): void {
    if (this.#isClosed || this.#loading === this.#generation || !this.#isPlaying) return;
    const next = this.#nextSample();
    if (next >= this.#length.totalFrames) return;
    const last = this.#scheduled.at(-1);
    const end = last === undefined ? 0 : last.contextFrame + last.to - last.from;
    if (last !== undefined && end - this.#heardFrame() > this.#aheadSec * this.#length.sampleRate) return;
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
    const last = this.#scheduled.at(-1);
    const from = this.#nextSample();
    const loop = this.#loop;
    const to = loop !== undefined && from < loop.to ? Math.min(piece.to, loop.to) : piece.to;
    let contextFrame = last === undefined ? 0 : last.contextFrame + last.to - last.from;
    // It starts, or it comes late: it continues where the sound has stopped.
    if (contextFrame / sampleRate < this.context.currentTime)
      contextFrame = nextFrame(this.context.currentTime, LEAD_SEC, sampleRate);
    const { when, offset } = startOf(piece.from, { sample: from, contextFrame }, sampleRate);
    const end = contextFrame + to - from;
    const nodes = piece.sounds.map(({ buffer, into }) => {
      const node = new AudioBufferSourceNode(this.context, { buffer });
      node.connect(into);
      node.start(when, offset);
      if (to < piece.to) node.stop((end - CUT_ROUNDING) / sampleRate);
      return node;
    });
    const clock = new ConstantSourceNode(this.context, { offset: 0 });
    clock.connect(this.output);
    const entry = { nodes, clock, from, to, contextFrame };
    clock.onended = () => this.#onEnded(entry);
    clock.start(when);
    clock.stop(end / sampleRate);
    this.#scheduled.push(entry);
    if (last === undefined) this.#report('playing');
    this.#wake();
  }

  #onEnded(entry: Scheduled): void {
    entry.clock.disconnect();
    for (const node of entry.nodes) node.disconnect();
    if (this.#scheduled.length > 1) {
      this.#scheduled = this.#scheduled.filter((one) => one !== entry);
      this.#last = entry;
      return this.fill();
    }
    const isAtEnd = entry.to >= this.#length.totalFrames && this.#nextSample() === entry.to;
    this.#silence(entry.to);
    if (isAtEnd) {
      this.#isPlaying = false;
      this.#report('ended');
    } else {
      this.#report('waiting');
      this.fill();
    }
  }
}

/** Ends a piece at once, without telling so. */
function dropEntry({ nodes, clock }: Scheduled): void {
  clock.onended = null;
  for (const node of [...nodes, clock]) {
    node.stop();
    node.disconnect();
  }
}
