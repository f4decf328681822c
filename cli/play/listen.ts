/** Plays a mashup while it is made: its parts as they come, then the rest of the finished file from the same position. */
import { readFile } from 'node:fs/promises';
import type { SupabaseClient } from '@supabase/supabase-js';
import { downloadPart } from '@mashup-engine/client';
import type { MashupJob, PlayableAudio } from '@mashup-engine/client';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { PLAY_RATE, PlayerProcess } from './player-process.ts';
import type { Player } from './players.ts';

/** Sound before the change to the finished file whose level is compared, and the time in which a difference disappears. */
const COMPARED_SEC = 3;
const GLIDE_SEC = 3;

/** Plays one mashup. */
export class Listener {
  readonly #supabase: SupabaseClient;
  readonly #player: Player;
  readonly #onStart: () => void;
  readonly #playing: Promise<void>;
  #process: PlayerProcess | undefined;
  #playable: PlayableAudio | undefined;
  /** The finished file; null if there is none. */
  #file: string | null | undefined;
  #wake: () => void = () => undefined;
  /** Samples that were given to the player. */
  #position = 0;
  #played: Float32Array[] = [];
  #isStopped = false;
  #unreadable: string | undefined;

  /** @param onStart is called when the first sound is given to the player */
  constructor(supabase: SupabaseClient, player: Player, onStart: () => void) {
    this.#supabase = supabase;
    this.#player = player;
    this.#onStart = onStart;
    this.#playing = this.#play();
  }

  /** Takes the newest state of the job. */
  update({ playable }: Pick<MashupJob, 'playable'>): void {
    // The row names no parts after the end and before those of another attempt: the last ones are played until then.
    if (playable !== null) this.#playable = playable;
    this.#wake();
  }

  /**
   * Says that the mashup is finished. Resolves when all of it has been played, or the player was stopped.
   * @param file the finished file; null: there is none, and only the parts that are there are played
   */
  async finish(file: string | null): Promise<void> {
    this.#file = file;
    this.#wake();
    await this.#playing;
  }

  /** Stops the sound. Returns whether there was any. */
  stop(): boolean {
    const wasPlaying = this.#process !== undefined && !this.#isStopped && !this.#process.hasEnded;
    this.#isStopped = true;
    this.#process?.stop();
    this.#wake();
    return wasPlaying;
  }

  async #play(): Promise<void> {
    while (!this.#hasEnded()) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      const index = this.#nextPart();
      if (index !== undefined) await this.#playPart(this.#playable!, index);
      else if (this.#file !== undefined) break;
      else await changed;
    }
    if (!this.#hasEnded() && typeof this.#file === 'string') await this.#playRest(this.#file);
    await this.#process?.end();
  }

  #hasEnded(): boolean {
    return this.#isStopped || this.#process?.hasEnded === true;
  }

  #nextPart(): number | undefined {
    if (!this.#playable || this.#playable.path === this.#unreadable) return undefined;
    const index = this.#playable.ends.findIndex((end) => end > this.#position);
    return index < 0 ? undefined : index;
  }

  async #playPart(playable: PlayableAudio, index: number): Promise<void> {
    try {
      const samples = await decode(new Uint8Array(await downloadPart(this.#supabase, playable, index)));
      const start = playable.ends[index - 1] ?? 0;
      await this.#give(
        samples.map((channel) => channel.subarray(this.#position - start)),
        playable.totalFrames,
      );
    } catch {
      // It is deleted, or Storage cannot be reached: parts of another attempt or the finished file follow.
      this.#unreadable = playable.path;
    }
  }

  async #playRest(file: string): Promise<void> {
    const samples = await decode(new Uint8Array(await readFile(file)));
    const length = samples[0]!.length;
    if (length <= this.#position) return;
    this.#glide(samples);
    await this.#give(
      samples.map((channel) => channel.subarray(this.#position)),
      length,
    );
  }

  /** Brings the finished file to the level of what was played, at the position of the change, and back within seconds. */
  #glide(samples: readonly Float32Array[]): void {
    const [left] = this.#played;
    if (!left) return;
    const before = samples[0]!.subarray(this.#position - left.length, this.#position);
    const step = rms(left) / rms(before);
    if (!Number.isFinite(step) || step === 0) return;
    const glide = GLIDE_SEC * PLAY_RATE;
    for (const channel of samples) {
      const end = Math.min(channel.length, this.#position + glide);
      for (let i = this.#position; i < end; i++) channel[i]! *= step ** (1 - (i - this.#position) / glide);
    }
  }

  async #give(samples: readonly Float32Array[], total: number): Promise<void> {
    if (!this.#process) {
      this.#process = new PlayerProcess(this.#player, total);
      this.#onStart();
    }
    this.#position += samples[0]!.length;
    this.#played = samples.map((channel) => channel.slice(-COMPARED_SEC * PLAY_RATE));
    await this.#process.write(samples);
  }
}

async function decode(bytes: Uint8Array): Promise<Float32Array[]> {
  return (await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } })).channels;
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
