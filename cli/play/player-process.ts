/** A running player: it gets samples as they come. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav16, wav16Header, writeWav16Frames } from '../../audio/encode/encode-wav.ts';
import type { Player } from './players.ts';

/** Sample rate of what players get. */
export const PLAY_RATE = 44_100;
/** Samples that are written at once: short, so that the sound stops soon after an interruption. */
const PIECE = 1 << 14;

/** Plays samples. After `stop`, or once the player has ended by itself, writes do nothing. */
export class PlayerProcess {
  readonly #player: Player;
  readonly #frames: number;
  readonly #ended = new AbortController();
  #child: ChildProcess | undefined;
  #folder: string | undefined;
  #files = 0;

  /** @param frames length of all that will be played, in samples of one channel: players want to know it in advance */
  constructor(player: Player, frames: number) {
    this.#player = player;
    this.#frames = frames;
  }

  get hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Plays equally long channels after what was written before. Resolves when the player has taken them. */
  async write(channels: readonly Float32Array[]): Promise<void> {
    if (this.#player.feed === 'files') return this.#playFile(channels);
    this.#child ??= this.#start(this.#player.args, true);
    const length = channels[0]!.length;
    for (let at = 0; at < length && !this.hasEnded; at += PIECE) {
      await this.#feed(pcm16(channels.map((samples) => samples.subarray(at, at + PIECE))));
    }
  }

  /** Says that nothing follows. Resolves when the player has played all. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child && !this.hasEnded) {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.stdin?.end();
      await closed;
    }
    this.#ended.abort();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** Ends the player at once. */
  stop(): void {
    this.#ended.abort();
    this.#child?.kill();
  }

  #start(args: readonly string[], isFed: boolean): ChildProcess {
    const child = spawn(this.#player.path, args, {
      stdio: [isFed ? 'pipe' : 'ignore', 'ignore', 'ignore'],
      // Ctrl-C reaches the command alone, which decides what ends.
      detached: process.platform !== 'win32',
    });
    child.once('error', () => this.#ended.abort());
    if (isFed) {
      child.once('close', () => this.#ended.abort());
      // A player that was closed by its user refuses more samples.
      child.stdin?.on('error', () => this.#ended.abort());
      if (this.#player.feed === 'wav') child.stdin?.write(wav16Header(this.#frames, 2, PLAY_RATE));
    }
    return child;
  }

  async #feed(bytes: Uint8Array): Promise<void> {
    const stdin = this.#child?.stdin;
    if (!stdin || stdin.write(bytes)) return;
    // Rejects only when the player has ended: then nothing more is written.
    await once(stdin, 'drain', { signal: this.#ended.signal }).catch(() => undefined);
  }

  async #playFile(channels: readonly Float32Array[]): Promise<void> {
    if (this.hasEnded) return;
    this.#folder ??= await mkdtemp(join(tmpdir(), 'mashup-play-'));
    const path = join(this.#folder, `${this.#files++}.wav`);
    await writeFile(path, encodeWav16([...channels], PLAY_RATE));
    const child = this.#start([...this.#player.args, path], false);
    this.#child = child;
    await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    this.#child = undefined;
    await rm(path, { force: true });
  }
}

/** Interleaves channels (-1..1) as 16-bit samples. */
function pcm16(channels: readonly Float32Array[]): Uint8Array {
  const samples = new Int16Array(channels[0]!.length * channels.length);
  writeWav16Frames(samples, 0, channels);
  return new Uint8Array(samples.buffer);
}
