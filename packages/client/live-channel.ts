/** Keeps a Realtime channel on one row joined: a lost channel is joined again after a delay. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { joinJobChannel } from './job-channel.ts';
import type { JobChannel, Row } from './job-channel.ts';

/** Delays before the channel is joined again; the last one repeats. */
const REJOIN_DELAYS_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];

export interface LiveChannelListener {
  /** The stream delivers every change from now on. Called again after each renewal of the token. */
  onReady: () => void;
  /** The row after a change; undefined if the change came without the whole row. */
  onChange: (row: Row | undefined) => void;
  onLost: () => void;
  /** The channel is about to be joined again. */
  onRetry: () => void;
}

/** Joins the channel of a row, and joins it again whenever it is lost, until it is stopped. */
export class LiveChannel {
  readonly #supabase: SupabaseClient;
  readonly #table: string;
  readonly #id: string;
  readonly #listener: LiveChannelListener;
  #channel: JobChannel | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #isStopped = false;

  constructor(supabase: SupabaseClient, table: string, id: string, listener: LiveChannelListener) {
    this.#supabase = supabase;
    this.#table = table;
    this.#id = id;
    this.#listener = listener;
  }

  start(): void {
    void this.#join();
  }

  /** Ends the current delay, and starts the delays from the shortest again. */
  retryNow(): void {
    this.#failures = 0;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    void this.#join();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#channel?.leave();
    this.#channel = undefined;
  }

  async #join(): Promise<void> {
    this.#timer = undefined;
    const joined = await joinJobChannel(this.#supabase, this.#table, this.#id, {
      isWanted: () => !this.#isStopped,
      onReady: () => {
        this.#failures = 0;
        this.#listener.onReady();
      },
      onChange: this.#listener.onChange,
      onLost: () => {
        this.#channel = undefined;
        this.#listener.onLost();
        this.#joinLater();
      },
    });
    if (this.#isStopped) joined?.leave();
    else this.#channel = joined;
  }

  #joinLater(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    const delay = REJOIN_DELAYS_MS[Math.min(this.#failures, REJOIN_DELAYS_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#listener.onRetry();
      void this.#join();
    }, delay);
  }
}
