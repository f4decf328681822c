/**
 * Plays a mashup while it is rendered, and when it is finished: its parts, then its file. What takes over does so at the same
 * position, with a short crossfade. One track is heard; another one waits until it can take over.
 */
import { MashupClientError } from '@mashup-engine/client';
import type { PlayableAudio } from '@mashup-engine/client';
import { createStore } from '../../state/store.ts';
import type { Store } from '../../state/store.ts';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { measurePeaks, withPeaks } from './part-peaks.ts';
import type { LoadPart, Part } from './parts.ts';
import { takeOver } from './take-over.ts';
import { closeTrack, covers, openFile, openParts, plannedSec, readySec, switchToContext } from './track.ts';
import type { PartsTrack, Track, TrackEvents } from './track.ts';

export interface PlaybackState {
  /** What is heard; undefined while there is nothing. */
  source: 'parts' | 'file' | undefined;
  /** Whether the listener wants to hear it. */
  isPlaying: boolean;
  /** Whether the sound waits for what is not there yet. */
  isWaiting: boolean;
  /** Whether the browser wants a press of Play first. */
  isBlocked: boolean;
  /** Whether the listener has heard parts, before the file took over. */
  hasHeardParts: boolean;
  /** How far it can be played, in seconds; Infinity for a file. */
  readySec: number;
  /** Peaks of the parts that were loaded, over the planned length; 0 where none was. */
  peaks: number[];
  /** Planned length of the parts in seconds. */
  plannedSec: number;
  /** 0..1 */
  volume: number;
  problem: Problem | undefined;
}

const NOTHING: PlaybackState = {
  source: undefined,
  isPlaying: false,
  isWaiting: false,
  isBlocked: false,
  hasHeardParts: false,
  readySec: 0,
  peaks: [],
  plannedSec: 0,
  volume: 1,
  problem: undefined,
};

/** Sound that other parts must have ahead of the position before they take over, in seconds. */
const COVERED_SEC = 3;

/** One player. */
export class Playback {
  readonly state: Store<PlaybackState> = createStore(NOTHING);
  #active: Track | undefined;
  #next: Track | undefined;
  /** The crossfade that is under way. */
  #fade: { isWanted: boolean } | undefined;
  /** The browser has refused to start the next track by itself: it takes over in a pause. */
  #isRefused = false;
  #host: HTMLElement | undefined;

  readonly #events: TrackEvents = {
    onState: (track) => this.#onState(track),
    onReady: () => this.#switch(),
    onError: (track, error) => this.#onError(track, error),
    onPart: (track, part) => void this.#measure(track, part),
  };

  /** Puts media elements into the page. */
  attach(host: HTMLElement | null): void {
    this.#host = host ?? undefined;
    for (const track of [this.#active, this.#next]) this.#show(track);
  }

  /** Plays these parts. Other ones of the same mashup take over as soon as they have sound at the position. */
  setParts(playable: PlayableAudio, load: LoadPart): void {
    const known = [this.#active, this.#next].find(
      (one) => one?.kind === 'parts' && one.playable.path === playable.path,
    );
    if (known?.kind === 'parts') {
      known.playable = playable;
      known.deck.update(playable);
      this.#report({});
    } else {
      this.#queue(openParts(playable, load, this.#events));
    }
    this.#switch();
  }

  /** Plays a file. Another link continues at the same position. */
  setFile(src: string, onBroken: () => void): void {
    const known = [this.#active, this.#next].find((one) => one?.kind === 'file');
    if (known?.kind === 'file') {
      // Another file is that of another mashup, whose parts nobody has heard.
      if (known.deck.setSource(src)) this.#report({ hasHeardParts: false });
      return;
    }
    const track = openFile(this.#events, onBroken);
    track.deck.setSource(src);
    this.#queue(track);
    this.#switch();
  }

  /** Position in seconds. */
  position(): number {
    return this.#active?.deck.position() ?? 0;
  }

  /** Plays. Without a track it begins as soon as there is one. */
  play(): void {
    this.#report({ isPlaying: true, isBlocked: false });
    if (this.#active !== undefined) this.#start(this.#active);
  }

  pause(): void {
    this.#report({ isPlaying: false, isWaiting: false });
    this.#endFade();
    this.#active?.deck.pause();
    this.#isRefused = false;
    this.#switch();
  }

  /** Jumps to a position, or to the end of what is there. */
  seek(seconds: number): void {
    this.#endFade();
    this.#active?.deck.seek(Math.max(0, Math.min(seconds, readySec(this.#active))));
  }

  /** Sets the loudness, 0..1. */
  setVolume(volume: number): void {
    this.#report({ volume });
    if (this.#fade === undefined) this.#active?.deck.setVolume(volume);
  }

  /** Ends all tracks. The playback can be used again. */
  close(): void {
    this.#fade = undefined;
    for (const track of [this.#active, this.#next]) closeTrack(track);
    this.#active = this.#next = undefined;
    this.state.set({ ...NOTHING, volume: this.state.get().volume });
  }

  #report(change: Partial<PlaybackState>): void {
    const active = this.#active;
    const parts = active?.kind === 'parts' ? { plannedSec: plannedSec(active), peaks: active.peaks } : {};
    this.state.set({ ...change, ...parts, source: active?.kind, readySec: readySec(active) });
  }

  #show(track: Track | undefined): void {
    if (track?.deck.element !== undefined) this.#host?.append(track.deck.element);
  }

  #start(track: Track): void {
    track.deck.setVolume(this.state.get().volume);
    track.deck.play().catch((error: unknown) => {
      if (track !== this.#active || !(error instanceof DOMException)) return;
      // A source that is exchanged while it starts aborts the start; it is not refused.
      if (error.name === 'NotAllowedError') this.#report({ isPlaying: false, isBlocked: true });
    });
  }

  /** Replaces the track that waits. */
  #queue(track: Track): void {
    this.#endFade();
    closeTrack(this.#next);
    this.#next = track;
    this.#isRefused = false;
    this.#show(track);
  }

  /** Lets the next track take over if it can. */
  #switch(): void {
    const { isPlaying } = this.state.get();
    const [active, next] = [this.#active, this.#next];
    if (next === undefined || this.#fade !== undefined) return;
    if (active === undefined) return this.#promote(next, 0);
    if (!next.deck.isReady()) return;
    const position = active.deck.position();
    if (active.kind === 'file') return this.#promote(next, covers(next, position) ? position : 0);
    const isBegun = isPlaying || position > 0;
    if (isBegun && !covers(next, position + (active.state === 'waiting' ? 0 : COVERED_SEC))) return;
    if (!isPlaying || active.state !== 'playing') return this.#promote(next, position);
    if (!this.#isRefused) void this.#crossfade(active, next);
  }

  async #crossfade(active: Track, next: Track): Promise<void> {
    const fade = { isWanted: true };
    this.#fade = fade;
    const volume = (): number => this.state.get().volume;
    const isWanted = (): boolean => fade.isWanted;
    const isDone = await takeOver(active.deck, next.deck, { volume, isWanted }).catch(() => {
      this.#isRefused = true;
      return false;
    });
    if (this.#fade !== fade) return;
    this.#fade = undefined;
    if (isDone) this.#promote(next);
    else {
      next.deck.pause();
      active.deck.setVolume(volume());
    }
  }

  /** Ends a crossfade at once: the next track plays on. */
  #endFade(): void {
    const next = this.#next;
    if (this.#fade === undefined || next === undefined) return;
    this.#fade.isWanted = false;
    this.#fade = undefined;
    this.#promote(next, this.position());
  }

  /** Makes a track the one that is heard, at a position if one is given. */
  #promote(track: Track, position?: number): void {
    const isFirst = this.#active === undefined;
    closeTrack(this.#active);
    this.#active = track;
    this.#next = undefined;
    if (position !== undefined && !isFirst) track.deck.seek(position);
    track.deck.setVolume(this.state.get().volume);
    this.#report({ isWaiting: false, problem: undefined });
    if (this.state.get().isPlaying && track.state !== 'playing') this.#start(track);
  }

  #onState(track: Track): void {
    if (track !== this.#active) return;
    const { isPlaying, hasHeardParts } = this.state.get();
    if (this.#fade !== undefined && track.state !== 'playing') return this.#endFade();
    const isWaiting = track.state === 'waiting' && isPlaying;
    const failure = track.kind === 'parts' && isWaiting ? track.failure : undefined;
    if (failure !== undefined) this.#report({ problem: toProblem(failure) });
    else if (track.state === 'playing') this.#report({ problem: undefined });
    const isStopped = track.state === 'paused' || track.state === 'ended';
    this.#report({
      isWaiting,
      isPlaying: isPlaying && !isStopped,
      hasHeardParts: hasHeardParts || (track.kind === 'parts' && track.state === 'playing'),
    });
    this.#switch();
  }

  #onError(track: Track, error: unknown): void {
    const isGone = error instanceof MashupClientError && error.code === 'part_gone';
    if (track.kind === 'parts' && !isGone && switchToContext(track, this.#events)) {
      if (track === this.#active && this.state.get().isPlaying) this.#start(track);
      return;
    }
    if (track === this.#next) {
      this.#endFadeWithout(track);
      closeTrack(track);
      this.#next = undefined;
    } else if (track === this.#active) {
      // What is buffered plays on. A file takes over when it comes.
      if (track.kind === 'parts') track.failure = error;
      if (track.state !== 'playing') this.#report({ problem: toProblem(error), isWaiting: false });
      this.#switch();
    }
  }

  async #measure(track: PartsTrack, part: Part): Promise<void> {
    const measured = await measurePeaks(part).catch(() => undefined);
    if (measured === undefined) return;
    track.peaks = withPeaks(track.peaks, measured, plannedSec(track));
    if (track === this.#active) this.#report({});
  }

  #endFadeWithout(track: Track): void {
    if (this.#fade === undefined || track !== this.#next) return;
    this.#fade.isWanted = false;
    this.#fade = undefined;
    this.#active?.deck.setVolume(this.state.get().volume);
  }
}
