/**
 * Plays a mashup while it is rendered, and when it is finished: its parts, then its file. What takes over does so at the same
 * position, with a short crossfade. One track is heard; another one waits until it can take over.
 */
import { MashupClientError } from '@mashup-engine/client';
import type { PlayableAudio } from '@mashup-engine/client';
import { createStore } from '../../state/store.ts';
import type { Store } from '../../state/store.ts';
import { toProblem } from '../../state/problem.ts';
import { isSameFile } from './file-deck.ts';
import type { LoopRange } from './loop.ts';
import { addPeaks } from './part-peaks.ts';
import type { LoadPart } from './parts.ts';
import { NOTHING } from './playback-state.ts';
import type { PlaybackState } from './playback-state.ts';
import { SILENT, takeOver } from './take-over.ts';
import { closeTrack, covers, openFile, openParts, openStems, plannedSec, readySec, switchToContext } from './track.ts';
import type { FileTrack, OpenStems, Track, TrackEvents } from './track.ts';

/** A track that takes over at once jumps if it is further away than this, in seconds: a jump is a gap. */
const AWAY_SEC = 0.02;
/** Sound that other parts must have ahead of the position before they take over, in seconds. */
const COVERED_SEC = 3;

/** One player. */
export class Playback {
  readonly state: Store<PlaybackState> = createStore(NOTHING);
  #active: Track | undefined;
  #next: Track | undefined;
  /** The file that was heard before. Until a pause or a jump it plays along silently, so that both can be compared at once. */
  #other: FileTrack | undefined;
  /** The crossfade that is under way. */
  #fade: { isWanted: boolean } | undefined;
  /** The browser has refused to start the next track by itself: it takes over in a pause. */
  #isRefused = false;
  #host: HTMLElement | undefined;
  /** The file that is played, or whose stems are. */
  #file: { src: string; onBroken: () => void } | undefined;
  /** Whether the stems of the file are played in its place, or will be. */
  #hasStems = false;

  readonly #events: TrackEvents = {
    onState: (track) => this.#onState(track),
    onReady: () => this.#switch(),
    onError: (track, error) => this.#onError(track, error),
    onPart: (track, part) => void addPeaks(track, part).then(() => track === this.#active && this.#report({})),
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

  /** Plays a file. Another link to it continues there; another file takes over as soon as it can be played. */
  setFile(src: string, onBroken: () => void): void {
    const before = this.#file;
    this.#file = { src, onBroken };
    const known = [this.#active, this.#next].find((one) => one?.kind === 'file' && one.deck.isOf(src));
    if (known?.kind === 'file') return known.deck.setSource(src);
    const isSame = before !== undefined && isSameFile(before.src, src);
    // The stems of a file play on with any link to it. Another file is that of another mashup, whose parts nobody has heard.
    if (isSame && this.#hasStems) return;
    if (before !== undefined && !isSame) this.#report({ hasHeardParts: false });
    this.#queueFile();
  }

  /**
   * Plays the stems of the file in its place, at the same position; undefined: the file again. Another file ends them.
   * @param open opens the deck that plays them
   * @param onFailed called when they cannot be played. The file plays on
   */
  setStems(open: OpenStems | undefined, onFailed: (error: unknown) => void = () => {}): void {
    if (open === undefined) {
      if (this.#hasStems) this.#queueFile();
      return;
    }
    const onError = (_: Track, error: unknown): void => {
      this.#queueFile();
      onFailed(error);
    };
    this.#queue(openStems(open, { ...this.#events, onError }));
    this.#hasStems = true;
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
    for (const track of [this.#active, this.#other]) track?.deck.pause();
    this.#isRefused = false;
    this.#switch();
  }

  /** Jumps to a position, or to the end of what is there. */
  seek(seconds: number): void {
    this.#endFade();
    this.#other?.deck.pause();
    this.#active?.deck.seek(Math.max(0, Math.min(seconds, readySec(this.#active))));
  }

  /** Sets the loudness, 0..1. */
  setVolume(volume: number): void {
    this.#report({ volume });
    if (this.#fade === undefined) this.#active?.deck.setVolume(volume);
  }

  /** Repeats a section while the position is within it; undefined: none. */
  setLoop(loop: LoopRange | undefined): void {
    this.#report({ loop });
    for (const track of [this.#active, this.#next, this.#other]) track?.deck.setLoop(loop);
  }

  /** Ends all tracks. The playback can be used again. */
  close(): void {
    this.#fade = undefined;
    for (const track of [this.#active, this.#next, this.#other]) closeTrack(track);
    this.#active = this.#next = this.#other = this.#file = undefined;
    this.#hasStems = false;
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
  #queue(track: Track | undefined): void {
    this.#endFade();
    closeTrack(this.#next);
    this.#next = track;
    track?.deck.setLoop(this.state.get().loop);
    this.#isRefused = false;
    this.#show(track);
  }

  /** Lets the file take over. If its stems are about to do so, they no longer are. */
  #queueFile(): void {
    this.#hasStems = false;
    if (this.#file === undefined) return;
    const { src, onBroken } = this.#file;
    const active = this.#active;
    if (active?.kind === 'file' && active.deck.isOf(src)) return this.#queue(undefined);
    const other = this.#other?.deck.isOf(src) === true ? this.#other : undefined;
    if (other !== undefined) this.#other = undefined;
    this.#queue(other ?? openFile(src, this.#events, onBroken));
    this.#switch();
  }

  /** Lets the next track take over if it can. */
  #switch(): void {
    const { isPlaying } = this.state.get();
    const [active, next] = [this.#active, this.#next];
    if (next === undefined || this.#fade !== undefined) return;
    if (active === undefined) return this.#promote(next, 0);
    if (!next.deck.isReady()) return;
    const position = active.deck.position();
    if (active.kind !== 'parts' && next.kind === 'parts')
      return this.#promote(next, covers(next, position) ? position : 0);
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
    const isDone = await takeOver(active.deck, next.deck, {
      playsAlong: next.state === 'playing',
      volume,
      isWanted,
    }).catch(() => {
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

  /** Ends a crossfade at once: the next track plays on, unless it has failed. */
  #endFade(failed?: Track): void {
    const next = this.#next;
    if (this.#fade === undefined || next === undefined) return;
    this.#fade.isWanted = false;
    this.#fade = undefined;
    if (next === failed) this.#active?.deck.setVolume(this.state.get().volume);
    else this.#promote(next, this.position());
  }

  /** Makes a track the one that is heard, at a position if one is given. */
  #promote(track: Track, position?: number): void {
    const before = this.#active;
    const isFirst = before === undefined;
    closeTrack(this.#other);
    this.#other = before?.kind === 'file' && track.kind === 'file' ? before : undefined;
    if (this.#other === undefined) closeTrack(before);
    // Its element moves behind that of the new track.
    this.#show(this.#other);
    this.#other?.deck.setVolume(SILENT);
    this.#active = track;
    this.#next = undefined;
    const isAway = position !== undefined && Math.abs(track.deck.position() - position) > AWAY_SEC;
    if (isAway && !isFirst) track.deck.seek(position);
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
      track.deck.setLoop(this.state.get().loop);
      if (track === this.#active && this.state.get().isPlaying) this.#start(track);
      return;
    }
    if (track === this.#next) {
      this.#endFade(track);
      closeTrack(track);
      this.#next = undefined;
      if (track.kind === 'file' && this.#active?.kind === 'file') this.#report({ problem: toProblem(error) });
    } else if (track === this.#active) {
      // What is buffered plays on. A file takes over when it comes.
      if (track.kind === 'parts') track.failure = error;
      if (track.state !== 'playing') this.#report({ problem: toProblem(error), isWaiting: false });
      this.#switch();
    }
  }
}
