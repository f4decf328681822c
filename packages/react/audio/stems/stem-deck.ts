/** A deck that plays the stems of a mashup together, each at its own level. */
import type { PlayableAudio } from '@mashup-engine/client';
import type { DeckEvents } from '../playback/deck.ts';
import { partAt, PartCache } from '../playback/parts.ts';
import type { LoadPart } from '../playback/parts.ts';
import { ScheduledDeck } from '../playback/scheduled-deck.ts';
import type { Piece, PieceSound } from '../playback/scheduled-deck.ts';
import type { StemsDeck } from '../playback/track.ts';
import { decodeFrames } from './decode-frames.ts';
import { softClipCurve, SOFT_CLIP_RANGE } from './soft-clip.ts';
import { gainsOf } from './stem-mix.ts';
import type { StemMix } from './stem-mix.ts';

/** Samples of a piece: 4.3 s of each stem are decoded together. A part has whole pieces, the last one excepted. */
const PIECE_FRAMES = 46 * 4096;
/** Decoded sound ahead of the position, in seconds. */
const AHEAD_SEC = 5;
/** Pieces that stay decoded. Four pieces of twelve stems are 72 MB; pieces of silence need none. */
const MAX_PIECES = 4;
/** Size of the files of a stem that are kept: the part that is played, and the next one. */
const MAX_STEM_BYTES = 4 * 1024 * 1024;
/** Time in which a level changes, in seconds, so that it does not click. */
const RAMP_SEC = 0.015;

interface Stem {
  playable: PlayableAudio;
  cache: PartCache;
  gain: GainNode;
}

/** Plays the stems of a mix. They are decoded a few seconds ahead. */
export class StemDeck extends ScheduledDeck implements StemsDeck {
  readonly #stems: Stem[];
  readonly #ends: readonly number[];
  readonly #sampleRate: number;
  readonly #unsubscribe: () => void;
  /** Decoded pieces by their first sample, least recently used first. */
  readonly #pieces = new Map<number, Promise<Piece>>();
  /** First samples of the pieces that are decoded. */
  readonly #decoded = new Set<number>();

  constructor(mix: StemMix, load: LoadPart, events: DeckEvents) {
    super(mix.stems, events, AHEAD_SEC);
    this.#ends = mix.stems.ends;
    this.#sampleRate = mix.stems.sampleRate;
    const [level, clip] = [this.context.createGain(), this.context.createWaveShaper()];
    // The files may be quieter than the stems in the mashup.
    level.gain.value = 10 ** (-mix.stems.levelDb / 20) / SOFT_CLIP_RANGE;
    clip.curve = softClipCurve();
    level.connect(clip).connect(this.output);
    const { sampleRate, totalFrames, ends } = mix.stems;
    this.#stems = mix.stems.files.map(({ path }) => {
      const gain = this.context.createGain();
      gain.connect(level);
      return {
        playable: { path, sampleRate, totalFrames, ends },
        cache: new PartCache(load, undefined, MAX_STEM_BYTES),
        gain,
      };
    });
    const gains = (): number[] => gainsOf(mix.state.get().channels);
    for (const [i, value] of gains().entries()) this.#stems[i]!.gain.gain.value = value;
    this.#unsubscribe = mix.state.subscribe(() => this.#setGains(gains()));
  }

  override isReady(): boolean {
    return true;
  }

  holds(seconds: number): boolean {
    const sample = Math.floor(seconds * this.#sampleRate);
    const [from, to] = this.#pieceOf(sample);
    // The next piece is wanted as well: the position moves on.
    const wanted = to < this.#ends.at(-1)! ? [from, to] : [from];
    if (wanted.every((start) => this.#decoded.has(start))) return true;
    Promise.all(wanted.map((start) => this.pieceAt(start))).then(
      () => this.isClosed || this.events.onReady(),
      (error: unknown) => this.isClosed || this.events.onError(error),
    );
    return false;
  }

  override close(): void {
    this.#unsubscribe();
    for (const { cache } of this.#stems) cache.close();
    this.#pieces.clear();
    this.#decoded.clear();
    super.close();
  }

  protected override pieceAt(sample: number): Promise<Piece> {
    const [from, to] = this.#pieceOf(sample);
    const known = this.#pieces.get(from);
    const piece = known ?? this.#decode(from, to);
    this.#pieces.delete(from);
    this.#pieces.set(from, piece);
    if (known !== undefined) return piece;
    const forget = (start: number): void => void (this.#pieces.delete(start), this.#decoded.delete(start));
    piece.then(
      () => this.#pieces.get(from) === piece && this.#decoded.add(from),
      () => forget(from),
    );
    for (const start of this.#pieces.keys()) if (this.#pieces.size > MAX_PIECES) forget(start);
    return piece;
  }

  /** The samples of a piece: from, and the one behind its last. A piece lies within one part. */
  #pieceOf(sample: number): [from: number, to: number] {
    const index = Math.max(
      0,
      this.#ends.findIndex((end) => sample < end),
    );
    const [start, end] = [this.#ends[index - 1] ?? 0, this.#ends[index]!];
    const from = start + Math.floor((sample - start) / PIECE_FRAMES) * PIECE_FRAMES;
    return [from, Math.min(end, from + PIECE_FRAMES)];
  }

  async #decode(from: number, to: number): Promise<Piece> {
    const sounds = this.#stems.map(async ({ playable, cache, gain }): Promise<PieceSound[]> => {
      const part = await cache.get(playable, partAt(playable, from));
      const buffer = await decodeFrames(this.context, part, from, to);
      return buffer === undefined ? [] : [{ buffer, into: gain }];
    });
    return { from, to, sounds: (await Promise.all(sounds)).flat() };
  }

  #setGains(gains: readonly number[]): void {
    const now = this.context.currentTime;
    for (const [i, { gain }] of this.#stems.entries()) {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(gains[i] ?? 1, now + RAMP_SEC);
    }
  }
}
